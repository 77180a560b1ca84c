import Access
import Cryptography
import NIOCore
import Session
import Testing

@testable import Gateway

/// Failed logins and connections that two gateways count together.
@Suite struct SharedLimitsTests {
    private let one = SharedCounts()
    private let other = SharedCounts()

    /// Passes what changed on one gateway to the other.
    private func exchange() {
        var report = NodeReport(isWhole: false)
        report.counts = self.one.changes(all: false).map { (1, $0) }
        self.other.receive(report)
    }

    // MARK: - Failed logins

    private static let key = SymmetricKey()
    private static let now = NIODeadline.now()

    private static func failures(_ counts: SharedCounts) -> LoginFailures {
        LoginFailures(shared: SharedFailures(counts: counts, key: self.key))
    }

    /// - Returns: the delay in milliseconds.
    private static func fail(
        _ login: String,
        from address: String,
        in failures: inout LoginFailures
    ) -> Int64 {
        let slots = LoginFailures.slots(login: Array(login.utf8), network: Network(text: address))
        return failures.count(slots, at: self.now).nanoseconds / 1_000_000
    }

    @Test func `failures at one gateway delay the next refusal at another`() {
        var (here, there) = (Self.failures(self.one), Self.failures(self.other))
        for _ in 0..<3 { _ = Self.fail("anna@x.example", from: "192.0.2.7", in: &here) }
        #expect(Self.fail("bob@x.example", from: "192.0.2.8", in: &there) == 250)
        self.exchange()
        // By the login name from elsewhere, in any spelling, and by the network.
        #expect(Self.fail("Anna@x.example", from: "192.0.2.9", in: &there) == 2_000)
        #expect(Self.fail("carl@x.example", from: "192.0.2.7", in: &there) == 2_000)
        #expect(Self.fail("carl@x.example", from: "192.0.2.6", in: &there) == 500)
        #expect(Self.fail("dora@x.example", from: "192.0.2.5", in: &there) == 250)
    }

    @Test func `a site's failures count at all gateways`() {
        var (here, there) = (Self.failures(self.one), Self.failures(self.other))
        for number in 1...3 {
            _ = Self.fail("a\(number)@x.example", from: "2001:db8:7:\(number)::1", in: &here)
        }
        self.exchange()
        #expect(Self.fail("b@x.example", from: "2001:db8:7:9::1", in: &there) == 2_000)
    }

    @Test func `the store learns no login name, and each name is short`() {
        var here = Self.failures(self.one)
        for login in ["geheim", String(repeating: "x", count: 5_000), "", "a\u{0}b"] {
            _ = Self.fail(login, from: "2001:db8:7:9::1", in: &here)
        }
        let names = self.one.changes(all: false).map(\.row.key.name)
        #expect(names.count == 6)
        #expect(names.allSatisfy { $0.utf8.count <= 45 && !$0.contains("geheim") })
        let marks = names.filter { !$0.contains(":") }
        #expect(marks.count == 4 && marks.allSatisfy { $0.utf8.count == 32 })
    }

    @Test func `names that a client invents fill no more rows than slots`() {
        var here = Self.failures(self.one)
        var rows: Set<NodeCount.Row> = []
        for number in 0..<LoginFailures.maximumSlots * 2 {
            _ = Self.fail("x\(number)@x.example", from: "203.0.113.9", in: &here)
            guard number % 1_000 == 0 else { continue }
            for count in self.one.changes(all: false) {
                if count.count > 0 { rows.insert(count.row) } else { rows.remove(count.row) }
            }
            #expect(rows.count <= LoginFailures.maximumSlots)
        }
        #expect(self.one.size.own <= LoginFailures.maximumSlots * 2)
    }

    @Test func `slots that expired leave the shared counts`() {
        var here = Self.failures(self.one)
        for number in 0..<LoginFailures.maximumSlots {
            let slots = [LoginFailures.Slot.login(Array("x\(number)".utf8))]
            _ = here.count(slots, at: Self.now)
        }
        let later = Self.now + .minutes(11)
        _ = here.count([.login(Array("anna".utf8))], at: later)
        #expect(self.one.size.own == 1)
    }

    // MARK: - Connections

    private func admission(_ counts: SharedCounts) -> Admission {
        var limits = GatewayConfiguration.Limits()
        limits.connectionsPerAddress = 5
        limits.connectionsPerUser = 4
        return Admission(
            limits: limits,
            descriptors: DescriptorBudget(limit: 10_000),
            shared: counts
        )
    }

    @Test func `connections of a user at all gateways are limited together`() {
        let (here, there) = (self.admission(self.one), self.admission(self.other))
        var slots = (0..<3).compactMap { _ in here.admit(UserID(1)) }
        self.exchange()
        let first = there.admit(UserID(1))
        #expect(first != nil && there.admit(UserID(1)) == nil)
        #expect(there.admit(UserID(2)) != nil)
        slots.removeLast()
        self.exchange()
        let second = there.admit(UserID(1))
        #expect(second != nil && there.admit(UserID(1)) == nil)
        slots.removeAll()
        self.exchange()
        #expect(there.admit(UserID(1)) != nil)
        withExtendedLifetime((first, second)) {}
    }

    @Test func `connections of an address at all gateways are limited together`() throws {
        let (here, there) = (self.admission(self.one), self.admission(self.other))
        let address = try SocketAddress(ipAddress: "192.0.2.7", port: 1_000)
        var arrivals = try (0..<4).map { _ in try here.admit(address, isKnown: false) }
        self.exchange()
        arrivals.append(try there.admit(address, isKnown: false))
        #expect(throws: Admission.Refusal.tooMany) { try there.admit(address, isKnown: true) }
        for _ in 0..<2 { here.release(address) }
        self.exchange()
        // Still as many before their login.
        #expect(throws: Admission.Refusal.tooMany) { try there.admit(address, isKnown: true) }
        arrivals.removeAll()
        self.exchange()
        arrivals.append(try there.admit(address, isKnown: true))
        withExtendedLifetime(arrivals) {}
    }

    @Test func `an IPv6 address gives no row: its network and site do until the login`() throws {
        let here = self.admission(self.one)
        let arrivals = try (1...5).map { number in
            let address = try SocketAddress(ipAddress: "2001:db8::\(number)", port: 1_000)
            return try here.admit(address, isKnown: false)
        }
        let names = self.one.changes(all: false).map(\.row.key.name)
        #expect(names.sorted() == ["2001:db8:0:0::/64", "2001:db8:0::/48"])
        withExtendedLifetime(arrivals) {}
    }

    @Test func `connections before the login count by network and site at all gateways`() throws {
        let (here, there) = (self.admission(self.one), self.admission(self.other))
        func address(_ text: String) throws -> SocketAddress {
            try SocketAddress(ipAddress: text, port: 1_000)
        }
        var arrivals = try (0..<20).map { number in
            try here.admit(address("2001:db8:0:\(number % 4)::\(number)"), isKnown: false)
        }
        self.exchange()
        #expect(throws: Admission.Refusal.tooMany) {
            try there.admit(address("2001:db8:0:9::1"), isKnown: false)
        }
        #expect(throws: Never.self) {
            _ = try there.admit(address("2001:db8:1:9::1"), isKnown: false)
        }
        arrivals.removeAll()
        self.exchange()
        #expect(throws: Never.self) {
            _ = try there.admit(address("2001:db8:0:9::1"), isKnown: false)
        }
    }
}
