import Access
import NIOCore
import Support
import Testing

@testable import Gateway

/// Which logins succeeded recently, against a plain dictionary.
@Suite struct KnownLoginsModelTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private static func network(_ number: Int) -> Network {
        Network(packed: [10, 0, UInt8(number >> 8), UInt8(number & 0xFF)])
    }

    private struct Key: Hashable {
        var user: Int
        var network: Int
    }

    @Test(arguments: 0..<8)
    func `a login is known for its lifetime, and a network while one of its logins is`(seed: Int) {
        var random = Seeded(state: UInt64(seed))
        var known = KnownLogins()
        var model: [Key: NIODeadline] = [:]
        var now = Self.start
        for _ in 0..<600 {
            now = now + .hours(Int64.random(in: 0...8, using: &random))
            let key = Key(
                user: Int.random(in: 1...6, using: &random),
                network: Int.random(in: 0..<8, using: &random)
            )
            if Bool.random(using: &random) {
                known.succeeded(
                    UserID(Int64(key.user)),
                    from: Self.network(key.network),
                    at: now
                )
                model[key] = now + KnownLogins.lifetime
            }
            for user in 1...6 {
                let isKnown = model[Key(user: user, network: key.network)].map { $0 > now } ?? false
                #expect(
                    known.contains(
                        UserID(Int64(user)),
                        from: Self.network(key.network),
                        at: now
                    ) == isKnown
                )
            }
            let isNetworkKnown = model.contains { $0.key.network == key.network && $0.value > now }
            #expect(known.contains(Self.network(key.network), at: now) == isNetworkKnown)
        }
    }

    @Test(arguments: [31, 32, 33, 64])
    func `beyond the limit of networks the user's least recently used one is dropped`(count: Int) {
        var known = KnownLogins()
        for number in 0..<count {
            known.succeeded(
                UserID(1),
                from: Self.network(number),
                at: Self.start + .seconds(Int64(number))
            )
        }
        let kept = (0..<count).filter {
            known.contains(UserID(1), from: Self.network($0), at: Self.start)
        }
        #expect(kept == Array(max(0, count - 32)..<count))
    }

    @Test func `a login makes its network the most recently used one`() {
        var known = KnownLogins()
        for number in 0..<32 {
            known.succeeded(
                UserID(1),
                from: Self.network(number),
                at: Self.start + .seconds(Int64(number))
            )
        }
        known.succeeded(UserID(1), from: Self.network(0), at: Self.start + .seconds(100))
        known.succeeded(UserID(1), from: Self.network(99), at: Self.start + .seconds(101))
        #expect(known.contains(UserID(1), from: Self.network(0), at: Self.start))
        #expect(!known.contains(UserID(1), from: Self.network(1), at: Self.start))
    }

    // MARK: - Failures

    @Test(arguments: 0..<6)
    func `the delay follows the slot with the most failures, and a failure expires`(
        seed: Int
    ) {
        var random = Seeded(state: UInt64(seed))
        var failures = LoginFailures()
        var model: [LoginFailures.Slot: (count: Int, until: NIODeadline)] = [:]
        var now = Self.start
        for _ in 0..<400 {
            now = now + .seconds(Int64.random(in: 0...240, using: &random))
            let login = Array("user\(Int.random(in: 0..<5, using: &random))@x.example".utf8)
            let site = Int.random(in: 1...2, using: &random)
            let subnet = Int.random(in: 1...3, using: &random)
            let network = Network(text: "2001:db8:\(site):\(subnet)::1")
            let slots = LoginFailures.slots(login: login, network: network)
            #expect(slots.count == 3)
            for slot in slots {
                let known = model[slot].flatMap { $0.until > now ? $0.count : nil } ?? 0
                #expect(failures.count(of: slot, at: now) == known)
            }
            var most = 1
            for slot in slots {
                let known = model[slot].flatMap { $0.until > now ? $0.count : nil } ?? 0
                model[slot] = (known + 1, now + .minutes(10))
                most = max(most, known + 1)
            }
            let expected = min(250 << min(most - 1, 5), 8_000)
            #expect(failures.count(slots, at: now) == .milliseconds(Int64(expected)))
        }
    }

    @Test(arguments: [
        ("anna@x.example", "ANNA@X.EXAMPLE", true), ("anna", "Anna", true),
        ("anna", "anna ", false),
        ("\u{E4}", "\u{C4}", false), ("", "", true), ("a\0", "a", false),
    ])
    func `logins that differ in ASCII case only share a slot`(
        one: String,
        other: String,
        areOne: Bool
    ) {
        let network = Network(text: "192.0.2.7")
        let slots = [one, other].map {
            LoginFailures.slots(login: Array($0.utf8), network: network)
        }
        #expect((slots[0] == slots[1]) == areOne)
        #expect(slots[0].count == 2, "an IPv4 address has no site of its own")
    }

    @Test func `a login of any length is stored with a bounded length`() {
        let network = Network(text: "192.0.2.7")
        let long = LoginFailures.slots(
            login: Array(repeating: 0x61, count: 100_000),
            network: network
        )
        guard case .login(let octets) = long[0] else {
            Issue.record("no login")
            return
        }
        #expect(octets.count == 256)
    }
}
