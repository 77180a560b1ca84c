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

    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private static func login(
        _ address: String = "192.0.2.7",
        since: NIODeadline = Self.start
    ) -> PendingLogin {
        let network = Network(text: address)
        return PendingLogin(
            whenRight: .refused,
            slots: LoginFailures.slots(login: Array("anna".utf8), network: network),
            network: network,
            record: AuditRecord(event: "login", outcome: .refused, actor: "anna"),
            since: since,
            loop: EmbeddedEventLoop()
        ) { _ in }
    }

    /// - Parameter login: the login name; nil for one of its own.
    private static func check(
        _ text: String,
        _ lane: CheckQueue.Lane,
        login: String? = nil
    ) -> CheckQueue.Check {
        CheckQueue.Check(
            mark: self.mark(text),
            lane: lane,
            login: Array((login ?? text).utf8)
        ) { .refused() }
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
        queue.cancel(first, mark: Self.mark("a"))
        #expect(queue.waiting == 1)
        // Who has left already, or never was there, takes nothing away.
        queue.cancel(first, mark: Self.mark("a"))
        queue.cancel(Self.login(), mark: Self.mark("a"))
        queue.cancel(second, mark: Self.mark("b"))
        #expect(queue.waiting == 1)
        queue.cancel(second, mark: Self.mark("a"))
        #expect(queue.waiting == 0 && queue.next() == nil)
        #expect(queue.leave(Self.mark("a")).isEmpty)
    }

    @Test func `a running check counts for its logins, even after they were cancelled`() {
        var queue = CheckQueue()
        let lane = Self.other("192.0.2.7")
        let login = Self.login()
        _ = queue.enter(login, check: Self.check("a", lane))
        #expect(queue.next() != nil)
        queue.cancel(login, mark: Self.mark("a"))
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
                let (entry, displaced) = queue.enter(
                    login,
                    check: Self.check(text, lane, login: "anna")
                )
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
                queue.cancel(logins[0], mark: Self.mark(text))
                waiting[text] = logins.count > 1 ? Array(logins.dropFirst()) : nil
                if logins.count == 1 { lanes[text] = nil }
            }
            #expect(queue.waiting == waiting.count, "step \(step)")
        }
    }

    // MARK: - Patience

    @Test func `a login that has waited for two minutes is removed, and not before`() {
        var queue = CheckQueue()
        let login = Self.login()
        _ = queue.enter(login, check: Self.check("a", Self.other("192.0.2.7")))
        let end = Self.start + CheckQueue.patience
        #expect(CheckQueue.patience == .seconds(120))
        #expect(queue.expire(at: end - .nanoseconds(1)).isEmpty && queue.waiting == 1)
        // Looked for once in a second.
        let expired = queue.expire(at: end + .seconds(1))
        #expect(expired.count == 1 && expired.first === login)
        #expect(queue.waiting == 0 && queue.next() == nil)
        #expect(queue.leave(Self.mark("a")).isEmpty)
    }

    @Test func `of the logins that share a check, only the patient ones keep it`() {
        var queue = CheckQueue()
        let lane = Self.other("192.0.2.7")
        let (first, second) = (Self.login(), Self.login(since: Self.start + .seconds(60)))
        for login in [first, second] { _ = queue.enter(login, check: Self.check("a", lane)) }
        let expired = queue.expire(at: Self.start + .seconds(121))
        #expect(expired.count == 1 && expired.first === first && queue.waiting == 1)
        #expect(queue.next() != nil)
        let answered = queue.leave(Self.mark("a"))
        #expect(answered.count == 1 && answered.first === second)
    }

    @Test func `a login whose check runs waits for its result, however long it has waited`() {
        var queue = CheckQueue()
        let login = Self.login()
        _ = queue.enter(login, check: Self.check("a", Self.other("192.0.2.7")))
        #expect(queue.next() != nil)
        #expect(queue.expire(at: Self.start + .minutes(10)).isEmpty)
        #expect(queue.leave(Self.mark("a")).first === login)
    }

    @Test(arguments: [true, false])
    func `a thousand logins that come at once are all checked in time`(isOneNetwork: Bool) {
        var queue = CheckQueue()
        for number in 0..<1_000 {
            let address = isOneNetwork ? "192.0.2.7" : "10.0.\(number / 250).\(number % 250)"
            let (entry, displaced) = queue.enter(
                Self.login(address),
                check: Self.check("\(number)", Self.other(address))
            )
            #expect(entry == .entered && displaced.isEmpty)
        }
        var now = Self.start
        var checked = 0
        // Two threads, and 0.14 seconds for each check.
        while let check = queue.next() {
            now = now + .milliseconds(70)
            checked += queue.leave(check.mark).count
            #expect(queue.expire(at: now).isEmpty)
        }
        #expect(checked == 1_000 && now < Self.start + CheckQueue.patience)
    }

    // MARK: - Fairness

    /// Enters many checks, and one of somebody else.
    /// - Returns: how many checks were run before the last one.
    private static func turnsBefore(
        _ late: CheckQueue.Check,
        behind flood: [CheckQueue.Check]
    ) -> Int {
        var queue = CheckQueue()
        for check in flood { _ = queue.enter(self.login(), check: check) }
        #expect(queue.enter(self.login(), check: late).0 == .entered)
        var count = 0
        while let check = queue.next() {
            if check.mark == late.mark { return count }
            count += 1
        }
        Issue.record("the check was lost")
        return count
    }

    @Test func `an address that floods delays another address by few checks`() {
        let flood = (0..<2_000).map { Self.check("\($0)", Self.other("192.0.2.7")) }
        let late = Self.check("late", Self.other("198.51.100.1"))
        #expect(Self.turnsBefore(late, behind: flood) <= 1)
    }

    @Test func `a login that is tried from many addresses delays others by few checks`() {
        let flood = (0..<2_000).map {
            Self.check("\($0)", Self.other("10.0.\($0 / 250).\($0 % 250)"), login: "bob")
        }
        let late = Self.check("late", Self.other("198.51.100.1"))
        let turns = Self.turnsBefore(late, behind: flood)
        #expect(turns <= 21)
        // Its owner, at an address of its own, waits for as many addresses as try the login.
        let few = (0..<2_000).map {
            Self.check("\($0)", Self.other("10.0.0.\($0 % 20)"), login: "bob")
        }
        let owner = Self.check("owner", Self.other("198.51.100.1"), login: "bob")
        #expect(Self.turnsBefore(owner, behind: few) <= 2 * 20 + 1)
    }

    @Test func `a login that floods at an office delays its colleagues by few checks`() {
        let office = Self.other("192.0.2.7")
        let flood = (0..<2_000).map { Self.check("\($0)", office, login: "bob") }
        let late = Self.check("late", office)
        #expect(Self.turnsBefore(late, behind: flood) <= 21)
    }

    @Test func `a user with a known network is not delayed by any flood`() {
        let flood =
            (0..<2_000).map { Self.check("\($0)", Self.other("192.0.2.7")) }
            + (0..<2_000).map { Self.check("b\($0)", Self.other("192.0.2.8"), login: "bob") }
        let late = Self.check("late", .known(UserID(1)))
        #expect(Self.turnsBefore(late, behind: flood) <= 2)
    }

    @Test func `a login that fills its queue displaces no check of another login`() {
        var queue = CheckQueue()
        var displaced = 0
        func enter(_ check: CheckQueue.Check) -> CheckQueue.Entry {
            let (entry, gone) = queue.enter(Self.login(), check: check)
            displaced += gone.count
            return entry
        }
        #expect(enter(Self.check("carol", Self.other("192.0.2.7"))) == .entered)
        var refused = 0
        for number in 0..<CheckQueue.maximumWaiting + 100 {
            let lane = Self.other("10.0.\(number / 250).\(number % 250)")
            if enter(Self.check("\(number)", lane, login: "bob")) == .refused { refused += 1 }
        }
        #expect(refused == 100 - CheckQueue.maximumOfLogin && displaced == 0)
        // Another login that is tried as often takes places of the first one.
        for number in 0..<20 {
            let check = Self.check("d\(number)", Self.other("192.0.2.9"), login: "dora")
            #expect(enter(check) == .entered)
        }
        #expect(displaced == 20 - CheckQueue.maximumOfLogin)
        let carol = Self.mark("carol")
        var isThere = false
        while let check = queue.next() { isThere = isThere || check.mark == carol }
        #expect(isThere)
    }

    @Test func `a login's places are free again after its checks, and after its clients left`() {
        var queue = CheckQueue()
        let lane = Self.other("192.0.2.7")
        func fill(_ round: String) -> [PendingLogin] {
            (0..<CheckQueue.maximumOfLogin).map { number in
                let login = Self.login()
                let check = Self.check("\(round)\(number)", lane, login: "bob")
                #expect(queue.enter(login, check: check).0 == .entered)
                return login
            }
        }
        for (number, login) in fill("a").enumerated() {
            queue.cancel(login, mark: Self.mark("a\(number)"))
        }
        _ = fill("b")
        for _ in 0..<CheckQueue.maximumOfLogin { #expect(queue.next()?.lane == lane) }
        _ = fill("c")
        // Were they of the crowded queue, a stranger would have the next turn but one.
        _ = queue.enter(Self.login(), check: Self.check("x", lane))
        let order = (0...CheckQueue.maximumOfLogin).compactMap { _ in queue.next()?.mark }
        #expect(order.last == Self.mark("x"))
    }

    @Test func `a login of a crowded queue that leaves is not checked`() {
        var queue = CheckQueue()
        var last: PendingLogin?
        for number in 0...CheckQueue.maximumOfLogin {
            let login = Self.login()
            let check = Self.check("\(number)", Self.other("192.0.2.7"), login: "bob")
            _ = queue.enter(login, check: check)
            last = login
        }
        let mark = Self.mark("\(CheckQueue.maximumOfLogin)")
        if let last { queue.cancel(last, mark: mark) }
        #expect(queue.waiting == CheckQueue.maximumOfLogin)
        while let check = queue.next() { #expect(check.mark != mark) }
    }

    @Test func `clients that leave in any order take little time`() {
        var queue = CheckQueue()
        var logins: [(PendingLogin, CheckQueue.Mark)] = []
        for number in 0..<CheckQueue.maximumWaiting {
            let address = "10.0.\(number / 250).\(number % 250)"
            let (login, check) = (Self.login(address), Self.check("\(number)", Self.other(address)))
            _ = queue.enter(login, check: check)
            logins.append((login, check.mark))
        }
        let start = ContinuousClock.now
        for (login, mark) in logins.reversed() { queue.cancel(login, mark: mark) }
        #expect(queue.waiting == 0)
        // Without optimisation, and on a busy machine.
        #expect(ContinuousClock.now - start < .seconds(2))
    }
}
