import Access
import Cryptography
import NIOCore
import NIOEmbedded
import Support
import Testing

@testable import Gateway

/// The checks that run or wait: who shares one, who makes room, and what is not run any more.
@Suite struct CheckQueueTests {
    private static let key = SymmetricKey()

    private static func mark(_ text: String) -> CheckQueue.Mark {
        CheckQueue.Mark(code: HMACSHA256.code(for: text.utf8, key: self.key))
    }

    private static func login(_ address: String = "192.0.2.7") -> PendingLogin {
        let network = Network(text: address)
        return PendingLogin(
            whenRight: .refused,
            slots: LoginFailures.slots(login: Array("anna".utf8), network: network),
            network: network,
            record: AuditRecord(event: "login", outcome: .refused, actor: "anna"),
            loop: EmbeddedEventLoop()
        ) { _ in }
    }

    private static func check(_ text: String, _ lane: CheckQueue.Lane) -> CheckQueue.Check {
        CheckQueue.Check(mark: self.mark(text), lane: lane) { false }
    }

    private static func other(_ address: String) -> CheckQueue.Lane {
        .other(Network(text: address))
    }

    @Test func `logins with one mark share a check, up to a limit`() {
        var queue = CheckQueue()
        let lane = Self.other("192.0.2.7")
        let logins = (0...CheckQueue.maximumShared).map { _ in Self.login() }
        var entries: [CheckQueue.Entry] = []
        for login in logins {
            let (entry, displaced) = queue.enter(login, check: Self.check("a", lane))
            entries.append(entry)
            #expect(displaced.isEmpty)
        }
        #expect(entries.first == .entered && entries.last == .refused)
        #expect(entries.dropFirst().dropLast().allSatisfy { $0 == .joined })
        #expect(queue.waiting == 1)
        #expect(queue.next()?.mark == Self.mark("a") && queue.next() == nil)
        let answered = queue.leave(Self.mark("a"))
        #expect(answered.count == CheckQueue.maximumShared)
        #expect(answered.first === logins[0] && queue.leave(Self.mark("a")).isEmpty)
    }

    @Test func `a login joins a running check with the same mark`() {
        var queue = CheckQueue()
        let lane = Self.other("192.0.2.7")
        _ = queue.enter(Self.login(), check: Self.check("a", lane))
        #expect(queue.next() != nil && queue.waiting == 0)
        #expect(queue.enter(Self.login(), check: Self.check("a", lane)).0 == .joined)
        #expect(queue.leave(Self.mark("a")).count == 2)
    }

    @Test func `both queues take turns, whichever is longer`() {
        var queue = CheckQueue()
        for number in 0..<6 {
            let address = "192.0.2.\(number)"
            _ = queue.enter(
                Self.login(address),
                check: Self.check("o\(number)", Self.other(address))
            )
        }
        for number in 0..<2 {
            let lane = CheckQueue.Lane.known(UserID(Int64(number)))
            _ = queue.enter(Self.login(), check: Self.check("k\(number)", lane))
        }
        var order: [Bool] = []
        while let check = queue.next() { order.append(check.lane.isKnown) }
        #expect(order == [true, false, true, false, false, false, false, false])
    }

    @Test
    func `a full queue displaces a check of its longest network, never one of the other queue`() {
        var queue = CheckQueue()
        let known = CheckQueue.Lane.known(UserID(1))
        _ = queue.enter(Self.login(), check: Self.check("known", known))
        let flood = Self.other("192.0.2.7")
        var entered: [PendingLogin] = []
        for number in 0..<CheckQueue.maximumWaiting {
            let login = Self.login()
            entered.append(login)
            #expect(queue.enter(login, check: Self.check("f\(number)", flood)).0 == .entered)
        }
        // One more of the same network: there is nobody with more.
        let (own, none) = queue.enter(Self.login(), check: Self.check("f-last", flood))
        #expect(own == .refused && none.isEmpty)
        // One of another network: the newest of the flood goes.
        let stranger = Self.login("198.51.100.1")
        let (entry, displaced) = queue.enter(
            stranger,
            check: Self.check("s", Self.other("198.51.100.1"))
        )
        #expect(entry == .entered)
        #expect(displaced.count == 1 && displaced.first === entered.last)
        #expect(queue.waiting == CheckQueue.maximumWaiting + 1)
        // A known user enters a queue of its own that is not full.
        let (third, _) = queue.enter(
            Self.login(),
            check: Self.check("k2", .known(UserID(2)))
        )
        #expect(third == .entered)
    }

    @Test func `all logins of a displaced check are returned`() {
        var queue = CheckQueue()
        let flood = Self.other("192.0.2.7")
        for number in 0..<CheckQueue.maximumWaiting - 1 {
            _ = queue.enter(Self.login(), check: Self.check("f\(number)", flood))
        }
        let shared = (0..<3).map { _ in Self.login() }
        for login in shared { _ = queue.enter(login, check: Self.check("shared", flood)) }
        let (_, displaced) = queue.enter(
            Self.login("198.51.100.1"),
            check: Self.check("s", Self.other("198.51.100.1"))
        )
        #expect(displaced.count == 3)
        #expect(zip(displaced, shared).allSatisfy { $0 === $1 })
    }

    @Test(arguments: [true, false])
    func `a check is dropped when its last login is cancelled`(isKnown: Bool) {
        var queue = CheckQueue()
        let lane = isKnown ? CheckQueue.Lane.known(UserID(7)) : Self.other("192.0.2.7")
        let (first, second) = (Self.login(), Self.login())
        for login in [first, second] { _ = queue.enter(login, check: Self.check("a", lane)) }
        queue.cancel(first, mark: Self.mark("a"), lane: lane)
        #expect(queue.waiting == 1)
        // Who has left already, or never was there, takes nothing away.
        queue.cancel(first, mark: Self.mark("a"), lane: lane)
        queue.cancel(Self.login(), mark: Self.mark("a"), lane: lane)
        queue.cancel(second, mark: Self.mark("b"), lane: lane)
        #expect(queue.waiting == 1)
        queue.cancel(second, mark: Self.mark("a"), lane: lane)
        #expect(queue.waiting == 0 && queue.next() == nil)
        #expect(queue.leave(Self.mark("a")).isEmpty)
    }

    @Test func `a running check counts for its logins, even after they were cancelled`() {
        var queue = CheckQueue()
        let lane = Self.other("192.0.2.7")
        let login = Self.login()
        _ = queue.enter(login, check: Self.check("a", lane))
        #expect(queue.next() != nil)
        queue.cancel(login, mark: Self.mark("a"), lane: lane)
        #expect(queue.leave(Self.mark("a")).first === login)
    }

    /// Against a model: a list in which each entry is looked for from the front.
    @Test(arguments: 0..<8)
    func `no check is lost, run twice, or run without a login`(seed: Int) {
        var random = Seeded(state: UInt64(seed))
        var queue = CheckQueue()
        var waiting: [String: [PendingLogin]] = [:]
        var lanes: [String: CheckQueue.Lane] = [:]
        for step in 0..<600 {
            switch Int.random(in: 0..<4, using: &random) {
            case 0, 1:
                let text = "\(Int.random(in: 0..<40, using: &random))"
                let address = "192.0.2.\(Int.random(in: 0..<5, using: &random))"
                let lane = lanes[text] ?? Self.other(address)
                let login = Self.login(address)
                let (entry, displaced) = queue.enter(login, check: Self.check(text, lane))
                #expect(displaced.isEmpty && entry != .refused)
                #expect((entry == .joined) == (waiting[text] != nil))
                waiting[text, default: []].append(login)
                lanes[text] = lane
            case 2:
                guard let check = queue.next() else { break }
                guard let text = lanes.first(where: { Self.mark($0.key) == check.mark })?.key else {
                    Issue.record("step \(step): a check of nobody")
                    return
                }
                #expect(queue.leave(check.mark).count == waiting[text]?.count)
                waiting[text] = nil
                lanes[text] = nil
            default:
                guard let (text, logins) = waiting.min(by: { $0.key < $1.key }) else { break }
                queue.cancel(logins[0], mark: Self.mark(text), lane: lanes[text] ?? Self.other(""))
                waiting[text] = logins.count > 1 ? Array(logins.dropFirst()) : nil
                if logins.count == 1 { lanes[text] = nil }
            }
            #expect(queue.waiting == waiting.count, "step \(step)")
        }
    }
}
