import Access
import NIOCore
import NIOEmbedded
import Testing

@testable import Gateway

/// Each limit of admission at its last connection and at the one behind it.
@Suite struct AdmissionLimitTests {
    private static func admission(
        perAddress: Int = 3,
        perUser: Int = 2,
        descriptors: Int = 10_000
    ) -> Admission {
        var limits = GatewayConfiguration.Limits()
        limits.connectionsPerAddress = perAddress
        limits.connectionsPerUser = perUser
        return Admission(limits: limits, descriptors: DescriptorBudget(limit: descriptors))
    }

    private static func address(_ text: String) throws -> SocketAddress {
        try SocketAddress(ipAddress: text, port: 1_000)
    }

    @Test(arguments: [1, 3, 50])
    func `an address may hold its limit of connections, and a release makes room`(limit: Int) throws
    {
        let admission = Self.admission(perAddress: limit)
        let address = try Self.address("192.0.2.7")
        var arrivals = try (0..<limit).map { _ in try admission.admit(address, isKnown: false) }
        #expect(throws: Admission.Refusal.tooMany) {
            _ = try admission.admit(address, isKnown: true)
        }
        // The arrival alone is the login's; the address is counted until it is released.
        arrivals.removeLast()
        #expect(throws: Admission.Refusal.tooMany) {
            _ = try admission.admit(address, isKnown: false)
        }
        admission.release(address)
        arrivals.append(try admission.admit(address, isKnown: false))
        #expect(throws: Admission.Refusal.tooMany) {
            _ = try admission.admit(address, isKnown: false)
        }
        withExtendedLifetime(arrivals) {}
    }

    @Test func `no connection is counted once all are released, in any order`() throws {
        let admission = Self.admission(perAddress: 10)
        #expect(admission.isEmpty)
        let addresses = try ["192.0.2.7", "192.0.2.8", "2001:db8::1"].map(Self.address)
        for address in addresses + addresses { _ = try admission.admit(address, isKnown: false) }
        #expect(!admission.isEmpty)
        for address in addresses.reversed() + addresses { admission.release(address) }
        #expect(admission.isEmpty)
        // What was never admitted takes nothing away.
        admission.release(addresses[0])
        admission.release(nil)
        #expect(admission.isEmpty)
    }

    @Test func `a connection without an address is not counted`() throws {
        let admission = Self.admission(perAddress: 1)
        let arrivals = try (0..<20).map { _ in try admission.admit(nil, isKnown: false) }
        #expect(admission.isEmpty && arrivals.count == 20)
        #expect(throws: Never.self) {
            _ = try admission.admit(try Self.address("192.0.2.7"), isKnown: false)
        }
    }

    @Test func `an IPv4 address that came in an IPv6 socket shares the address's network`() throws {
        let admission = Self.admission(perAddress: 2)
        let plain = try admission.admit(Self.address("192.0.2.7"), isKnown: false)
        let mapped = try admission.admit(Self.address("::ffff:192.0.2.7"), isKnown: false)
        #expect(throws: Admission.Refusal.tooMany) {
            _ = try admission.admit(try Self.address("192.0.2.7"), isKnown: false)
        }
        withExtendedLifetime((plain, mapped)) {}
    }

    @Test func `a limit of any size causes no overflow`() throws {
        let admission = Self.admission(perAddress: .max)
        let address = try Self.address("2001:db8::1")
        #expect(throws: Never.self) { _ = try admission.admit(address, isKnown: false) }
    }

    @Test(arguments: [1, 2, 50])
    func `a user may hold the limit of connections, and each end makes room`(limit: Int) {
        let admission = Self.admission(perUser: limit)
        var slots = (0..<limit).compactMap { _ in admission.admit(UserID(1)) }
        #expect(slots.count == limit)
        #expect(admission.admit(UserID(1)) == nil)
        #expect(admission.admit(UserID(2)) != nil)
        slots.removeLast()
        #expect(admission.admit(UserID(1)) != nil)
        slots.removeAll()
        slots = (0...limit).compactMap { _ in admission.admit(UserID(1)) }
        #expect(slots.count == limit)
    }

    @Test(arguments: [(10_000, 64), (1_024, 64), (160, 10), (32, 2), (16, 1), (15, 0)])
    func `concurrent refusals are limited to a share of the descriptors, and to 64`(
        descriptors: Int,
        most: Int
    ) {
        let admission = Self.admission(descriptors: descriptors)
        let begun = (0..<200).count { _ in admission.beginRefusal() }
        #expect(begun == most)
        guard most > 0 else { return }
        admission.endRefusal()
        #expect(admission.beginRefusal() && !admission.beginRefusal())
    }
}

/// The file descriptors of the process: the last of them are kept.
@Suite struct DescriptorBudgetTests {
    /// The limit, and how many sockets strangers and users may have.
    @Test(arguments: [(10_000, 7_436, 9_936), (1_024, 704, 960), (400, 236, 336), (100, 50, 75)])
    func
        `a quarter of the descriptors is reserved for users, and an overhead for the store and listeners`(
            limit: Int,
            strangers: Int,
            users: Int
        ) throws
    {
        let budget = DescriptorBudget(limit: limit)
        var channels: [EmbeddedChannel] = []
        func fill(to count: Int) {
            while channels.count < count {
                let channel = EmbeddedChannel()
                budget.count(channel)
                channels.append(channel)
            }
        }
        fill(to: strangers - 1)
        #expect(budget.hasRoom(isKnown: false) && budget.hasRoom(isKnown: true))
        fill(to: strangers)
        #expect(!budget.hasRoom(isKnown: false) && budget.hasRoom(isKnown: true))
        fill(to: users - 1)
        #expect(budget.hasRoom(isKnown: true))
        fill(to: users)
        #expect(!budget.hasRoom(isKnown: true))
        for channel in channels { _ = try channel.finish() }
        #expect(budget.hasRoom(isKnown: false))
    }

    @Test func `a limit of zero descriptors does not trap`() {
        let budget = DescriptorBudget(limit: 0)
        #expect(!budget.hasRoom(isKnown: false) && !budget.hasRoom(isKnown: true))
        #expect(DescriptorBudget.ofProcess > 0)
    }
}
