import Access
import NIOCore
import Testing

@testable import Gateway

/// Who a guess is counted for, and who waits for whom.
@Suite struct LoginThrottlingTests {
    private static let now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private static func network(_ text: String) -> Network { Network(text: text) }

    @Test(arguments: [
        ("192.0.2.7", "192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("anna", "", ""), ("", "", ""),
    ])
    func `a network is an IPv4 address or an IPv6 prefix`(
        address: String,
        network: String,
        site: String
    ) {
        #expect(Self.network(address).description == network)
        #expect(Self.network(address).site.description == site)
    }

    /// - Returns: the delay in milliseconds.
    private static func fail(
        _ login: String,
        _ address: String,
        _ failures: inout LoginFailures
    ) -> Int64 {
        let slots = LoginFailures.slots(login: Array(login.utf8), network: self.network(address))
        return failures.count(slots, at: self.now).nanoseconds / 1_000_000
    }

    @Test func `spellings of a login share its counter`() {
        var failures = LoginFailures()
        let delays = ["anna@kanzlei.example", "Anna@Kanzlei.example", "ANNA@kanzlei.EXAMPLE"]
            .enumerated().map { Self.fail($1, "192.0.2.\($0)", &failures) }
        #expect(delays == [250, 500, 1_000])
    }

    @Test func `addresses of one prefix share its counter`() {
        var failures = LoginFailures()
        let subnet = (1...3).map { Self.fail("a\($0)@x.example", "2001:db8:1:2::\($0)", &failures) }
        let site = (1...3).map { Self.fail("b\($0)@x.example", "2001:db8:7:\($0)::1", &failures) }
        let others = (1...3).map { Self.fail("c\($0)@x.example", "192.0.2.\($0)", &failures) }
        #expect(subnet == [250, 500, 1_000] && site == [250, 500, 1_000])
        #expect(others == [250, 250, 250])
    }

    @Test func `the delay is at most eight seconds, and the number of slots is bounded`() {
        var failures = LoginFailures()
        let delays = (0..<9).map { _ in Self.fail("anna@x.example", "192.0.2.7", &failures) }
        #expect(delays == [250, 500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000, 8_000])
        for number in 0..<LoginFailures.maximumSlots {
            _ = Self.fail("x\(number)@x.example", "203.0.113.9", &failures)
        }
        let anna = LoginFailures.Slot.login(Array("anna@x.example".utf8))
        #expect(failures.count(of: anna, at: Self.now) == 9)
        #expect(failures.count(of: anna, at: Self.now + .minutes(10)) == 0)
    }

    @Test func `a successful login is known from its network, and each login extends that`() {
        var known = KnownLogins()
        let anna = UserID(1)
        known.succeeded(anna, from: Self.network("2001:db8:1:2::1"), at: Self.now)
        let sameSubnet = Self.network("2001:db8:1:2::9")
        #expect(known.contains(anna, from: sameSubnet, at: Self.now))
        #expect(!known.contains(UserID(2), from: sameSubnet, at: Self.now))
        #expect(!known.contains(anna, from: Self.network("2001:db8:1:3::1"), at: Self.now))
        let late = Self.now + KnownLogins.lifetime - .seconds(1)
        known.succeeded(anna, from: sameSubnet, at: late)
        #expect(known.contains(sameSubnet, at: late + KnownLogins.lifetime - .seconds(1)))
        #expect(!known.contains(sameSubnet, at: late + KnownLogins.lifetime))
    }

    @Test func `a user with many networks displaces no entry of another user`() {
        var known = KnownLogins()
        let home = Self.network("192.0.2.1")
        known.succeeded(UserID(1), from: home, at: Self.now)
        for number in 0..<20_000 {
            let network = Network(packed: [10, 0, UInt8(number >> 8), UInt8(number & 0xFF)])
            let moment = Self.now + .seconds(1) + .nanoseconds(Int64(number))
            known.succeeded(UserID(2), from: network, at: moment)
        }
        #expect(known.contains(UserID(1), from: home, at: Self.now))
        // Nor the room of that network for connections.
        #expect(known.contains(home, at: Self.now))
        let first = Network(packed: [10, 0, 0, 0])
        let last = Network(packed: [10, 0, UInt8(19_999 >> 8), UInt8(19_999 & 0xFF)])
        #expect(!known.contains(first, at: Self.now))
        #expect(known.contains(last, at: Self.now))
    }

    @Test func `a network is known while one of its users is known`() {
        var known = KnownLogins()
        let office = Self.network("192.0.2.1")
        for user in 1...2 { known.succeeded(UserID(Int64(user)), from: office, at: Self.now) }
        for number in 0..<100 {
            let network = Network(packed: [10, 0, 0, UInt8(number)])
            known.succeeded(UserID(2), from: network, at: Self.now + .seconds(1))
        }
        #expect(!known.contains(UserID(2), from: office, at: Self.now))
        #expect(known.contains(office, at: Self.now))
    }

    @Test func `the lowest tenth is dropped, and the highest values stay`() {
        var entries: [Int: Int] = [:]
        for number in 0..<10_000 { entries[number] = number }
        let least = entries.leastTenth(<)
        #expect((500...2_000).contains(least.count))
        #expect(least.allSatisfy { $0 < 2_000 })
        let same = [Int: Int](uniqueKeysWithValues: (0..<100).map { ($0, 1) })
        #expect(same.leastTenth(<).count == 10)
        #expect([1: 1].leastTenth(<) == [1])
        #expect([Int: Int]().leastTenth(<) == [])
    }
}

/// Whose turn it is.
@Suite struct NetworkQueueTests {
    @Test func `a site with many networks has the turns of one site`() {
        var queue = NetworkQueue<String>()
        for number in 0..<100 {
            queue.append("many", from: Network(text: "2001:db8:1:\(number)::1"))
        }
        queue.append("few", from: Network(text: "192.0.2.7"))
        queue.append("neighbour", from: Network(text: "2001:db8:1:ffff::1"))
        let first = (0..<2).compactMap { _ in queue.next() }
        #expect(first == ["many", "few"])
        #expect(queue.count == 100)
        var rest: [String] = []
        while let next = queue.next() { rest.append(next) }
        #expect(rest.count == 100 && queue.count == 0)
    }

    @Test func `within a site the networks take turns`() {
        var queue = NetworkQueue<Int>()
        for number in 0..<50 {
            queue.append(number, from: Network(text: "2001:db8:1:1::\(number)"))
        }
        queue.append(1_000, from: Network(text: "2001:db8:1:2::1"))
        #expect([queue.next(), queue.next(), queue.next()] == [0, 1_000, 1])
    }

    @Test func `the longest site loses an element, then the longest network of the own site`() {
        var queue = NetworkQueue<Int>()
        for number in 0..<5 { queue.append(number, from: Network(text: "2001:db8:1:\(number)::1")) }
        let stranger = Network(text: "192.0.2.7")
        #expect(queue.makeRoom(for: stranger) != nil && queue.count == 4)
        for number in 10..<14 { queue.append(number, from: stranger) }
        // Two, because the one that stood here may be the one that made room.
        for number in 20..<22 { queue.append(number, from: Network(text: "2001:db8:1:1::1")) }
        #expect(queue.makeRoom(for: Network(text: "2001:db8:1:77::1")) == 21)
        #expect(queue.makeRoom(for: stranger) == nil)
    }

    @Test func `a removed element is not served`() {
        var queue = NetworkQueue<Int>()
        let network = Network(text: "192.0.2.7")
        for number in 0..<3 { queue.append(number, from: network) }
        #expect(queue.remove(from: network) { $0 == 1 } == 1)
        #expect(queue.remove(from: network) { $0 == 1 } == nil)
        #expect([queue.next(), queue.next(), queue.next()] == [0, 2, nil])
        #expect(queue.count == 0)
    }
}
