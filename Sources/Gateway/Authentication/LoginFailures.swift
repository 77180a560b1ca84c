import Access
import Cryptography
import NIOCore
import Session

/// Counts failed logins by login name and by network, and computes the delay of the next refusal.
/// Time is a parameter.
struct LoginFailures {
    /// A key that failures are counted under.
    enum Slot: Hashable, Sendable {
        /// The login name in lower case, as ``Address`` folds it.
        case login([UInt8])
        /// An IPv4 address, an IPv6 /64 or an IPv6 /48.
        case network(Network)
    }

    /// The delay of the first refusal. Each further failure doubles it.
    private static let shortestDelay = TimeAmount.milliseconds(250)
    /// The longest delay. A client that waits longer gives up and shows its user no reason.
    static let longestDelay = TimeAmount.seconds(8)
    /// A bound for the exponent, so that the shift cannot overflow.
    private static let maximumDoublings = 5
    /// A slot is forgotten this long after its last failure.
    private static let lifetime = TimeAmount.minutes(10)
    /// Slots. A hostile client chooses login names, and with IPv6 networks as well. Beyond the
    /// limit the tenth with the fewest failures is dropped.
    static let maximumSlots = 10_000
    /// Octets of a login name that are kept; no login in the store is longer.
    private static let maximumLoginOctets = 256

    /// The failures of a slot, until they expire.
    private struct Failures {
        var count: Int
        var until: NIODeadline
    }

    /// At most ``maximumSlots``.
    private var failures: [Slot: Failures] = [:]
    /// The counts of the other gateways; nil if the store has one gateway.
    private let shared: SharedFailures?

    /// - Parameter shared: the counts of the other gateways; nil if the store has one gateway.
    init(shared: SharedFailures? = nil) {
        self.shared = shared
    }

    /// The slots that a failure counts in: the login name, the network (an address or /64), and the
    /// /48.
    /// - Parameter login: the octets that the client sent.
    static func slots(login: [UInt8], network: Network) -> [Slot] {
        let slots = [Slot.login(self.folded(login)), .network(network)]
        return network.site == network ? slots : slots + [.network(network.site)]
    }

    /// The beginning of a login name in lower case, as ``Address`` folds it. A login that is not an
    /// address is folded in the same way.
    static func folded(_ login: [UInt8]) -> [UInt8] {
        login.prefix(Self.maximumLoginOctets).map { octet in
            octet >= UInt8(ascii: "A") && octet <= UInt8(ascii: "Z") ? octet + 0x20 : octet
        }
    }

    /// Counts a failure in each slot.
    /// - Returns: the delay of the refusal. It follows from the slot with the most failures on all
    ///   gateways, and is the same for every reason of the refusal.
    mutating func count(_ slots: [Slot], at now: NIODeadline) -> TimeAmount {
        self.makeRoom(at: now)
        var most = 1
        for slot in slots {
            let known = self.failures[slot].flatMap { $0.until > now ? $0 : nil }
            let count = (known?.count ?? 0) + 1
            self.failures[slot] = Failures(count: count, until: now + Self.lifetime)
            self.shared?.set(count, of: slot, lasting: Self.lifetime)
            most = max(most, count + (self.shared?.others(of: slot) ?? 0))
        }
        let doublings = min(most - 1, Self.maximumDoublings)
        let delay = Self.shortestDelay.nanoseconds << Int64(doublings)
        return min(.nanoseconds(delay), Self.longestDelay)
    }

    /// The failures of a slot that have not expired.
    func count(of slot: Slot, at now: NIODeadline) -> Int {
        self.failures[slot].map { $0.until > now ? $0.count : 0 } ?? 0
    }

    /// Drops expired slots, then the tenth with the fewest failures, if the limit is reached.
    private mutating func makeRoom(at now: NIODeadline) {
        guard self.failures.count >= Self.maximumSlots else { return }
        self.drop(self.failures.filter { $0.value.until <= now }.map(\.key))
        guard self.failures.count >= Self.maximumSlots else { return }
        self.drop(self.failures.leastTenth { ($0.count, $0.until) < ($1.count, $1.until) })
    }

    /// Forgets slots here and on the other gateways.
    private mutating func drop(_ slots: [Slot]) {
        for slot in slots {
            self.failures[slot] = nil
            self.shared?.set(0, of: slot, lasting: Self.lifetime)
        }
    }
}

/// Failed logins that the gateways of a store count together.
struct SharedFailures: Sendable {
    /// Octets of the mark of a login name: enough that nobody finds two names with one mark.
    private static let markOctets = 16

    /// The counts of all gateways.
    let counts: SharedCounts
    /// The key of the marks, which all gateways have. The store does not learn what clients sent as
    /// a login name, because that may be a password.
    let key: SymmetricKey

    /// Tells the other gateways of the failures of a slot.
    func set(_ count: Int, of slot: LoginFailures.Slot, lasting time: TimeAmount) {
        let row = NodeCount.Row(.failures, name: self.name(of: slot))
        self.counts.set(count, of: row, lasting: time)
    }

    /// The failures of a slot on the other gateways.
    func others(of slot: LoginFailures.Slot) -> Int {
        self.counts.others(.failures, name: self.name(of: slot))
    }

    /// A network, or the mark of a login name.
    private func name(of slot: LoginFailures.Slot) -> String {
        switch slot {
        case .network(let network): network.description
        case .login(let login):
            HMACSHA256.code(for: login, key: self.key).prefix(Self.markOctets)
                .map { String(UInt16($0) | 0x100, radix: 16).dropFirst() }.joined()
        }
    }
}

/// Eviction for the caches of this directory.
extension Dictionary {
    /// Entries that ``leastTenth(_:)`` samples to estimate where the lowest tenth ends.
    private static var sampleCount: Int { 500 }

    /// The keys of about a tenth of the entries, at least one, whose values are the lowest.
    ///
    /// Takes linear time with few comparisons, because the caller holds a lock that each new
    /// connection needs. A sample estimates where the tenth ends.
    /// - Parameter countsLess: whether the first value is lower than the second.
    func leastTenth(_ countsLess: (Value, Value) -> Bool) -> [Key] {
        let step = Swift.max(self.count / Self.sampleCount, 1)
        let sample = self.values.enumerated().filter { $0.offset % step == 0 }.map(\.element)
            .sorted(by: countsLess)
        guard !sample.isEmpty else { return [] }
        let end = sample[sample.count / 10]
        let below = self.filter { countsLess($0.value, end) }.map(\.key)
        // Many entries may have equal values; any of them may be dropped.
        let wanted = Swift.max(self.count / 10, 1)
        guard below.count < wanted else { return below }
        let equal = self.filter { !countsLess($0.value, end) && !countsLess(end, $0.value) }
        return below + equal.prefix(wanted - below.count).map(\.key)
    }
}
