import Access
import NIOCore
import SASL
import Session
import Store
import Support
import Synchronization
import Testing

@testable import Gateway

/// Passwords that mail servers know: what is asked, how often, and what is stored.
@Suite struct UpstreamPasswordsTests {
    private static let once = SourceVerdict.refused(
        detail: "the server refused this password before"
    )
    private static let tooMany = SourceVerdict.refused(
        detail: "too many wrong passwords: the server was not asked"
    )

    private final class Bench: Sendable {
        let fixture: StoreFixture
        let time = ManualTime()
        let permissions: CurrentPermissions
        let breaker: CredentialBreaker
        /// What the server does instead of looking at the password; nil for nothing.
        let failure = Mutex<UpstreamAnswer?>(nil)
        let asked = Mutex<[String]>([])
        let source: UpstreamPasswords

        init(learns: Bool = true) throws {
            self.fixture = try StoreFixture()
            let permissions = CurrentPermissions(try self.fixture.store.load())
            self.permissions = permissions
            self.breaker = CredentialBreaker(
                logger: self.fixture.log.logger,
                waitingTime: .seconds(15),
                inForce: { permissions.published.endpoints[$0] }
            )
            let box = VerifierBox()
            self.source = UpstreamPasswords(
                learner: learns
                    ? CredentialLearner(
                        store: self.fixture.store,
                        masterKey: self.fixture.masterKey,
                        permissions: permissions,
                        breaker: self.breaker,
                        logger: self.fixture.log.logger
                    ) : nil,
                now: { [time = self.time] in time.now },
                verifier: { _, credential in
                    box.verify?(credential) ?? .notAsked(reason: "no test")
                }
            )
            box.verify = { [unowned self] in self.verify($0) }
        }

        private final class VerifierBox: @unchecked Sendable {
            var verify: (@Sendable (UpstreamCredential) -> UpstreamAnswer)?
        }

        /// The mail server.
        private func verify(_ credential: UpstreamCredential) -> UpstreamAnswer {
            let password = String(decoding: credential.proof.secret.value, as: UTF8.self)
            self.asked.withLock { $0.append(password) }
            if let failure = self.failure.withLock({ $0 }) { return failure }
            return password == "right" ? .accepted : .refused
        }

        func account() throws -> UpstreamAccount {
            try self.fixture.store.upstream("anna@kanzlei.example")
        }

        func check(
            _ password: String,
            from address: String = "192.0.2.7",
            known: Bool = false
        ) throws -> SourceCheck? {
            let permissions = self.permissions.published
            let login = try #require(Address("anna@kanzlei.example".utf8))
            let user = try #require(permissions.access.user(login: login))
            let claim = LoginClaim(
                user: user,
                proof: .password(Secret(Array(password.utf8))),
                network: Network(text: address),
                isKnownNetwork: known
            )
            return self.source.check(of: claim, in: permissions)
        }

        func verdict(
            _ password: String,
            from address: String = "192.0.2.7",
            known: Bool = false
        ) throws -> SourceVerdict? {
            try self.check(password, from: address, known: known)?.run()
        }

        func set(_ change: (inout AccountSettings) -> Void) throws {
            var settings = AccountSettings()
            change(&settings)
            try self.fixture.store.setAccount(
                "anna@kanzlei.example",
                settings: settings,
                masterKey: self.fixture.masterKey,
                actor: "test"
            )
            self.permissions.replace(with: try self.fixture.store.load())
        }

        func storedPassword() throws -> String {
            let credential = try self.fixture.masterKey.credential(of: try self.account())
            return String(decoding: credential.proof.secret.value, as: UTF8.self)
        }
    }

    // MARK: - What is asked

    @Test func `the server is asked with the user name of the account`() throws {
        let bench = try Bench()
        #expect(try bench.verdict("right") == .verified())
        #expect(try bench.verdict("wrong") == .refused())
        #expect(bench.asked.withLock { $0 } == ["right", "wrong"])
    }

    @Test(arguments: ["", "a\0b", "a\r\nb", String(repeating: "x", count: 257)])
    func `a password that no login can carry is refused without a question`(
        password: String
    ) throws {
        let bench = try Bench()
        #expect(try bench.verdict(password) != .verified())
        #expect(bench.asked.withLock { $0 }.isEmpty)
    }

    @Test func `a user without an own mailbox is not the source's`() throws {
        let bench = try Bench()
        try bench.set { $0.owner = "none" }
        #expect(try bench.check("right") == nil)
    }

    @Test func `of several mailboxes only the one with the address of the login counts`() throws {
        let bench = try Bench()
        func add(_ address: String) throws {
            var settings = AccountSettings()
            settings.kind = .imap
            settings.owner = "anna@kanzlei.example"
            settings.imap = Endpoint(host: "localhost", port: 1, tls: .none)
            try bench.fixture.store.addAccount(
                address,
                settings: settings,
                masterKey: bench.fixture.masterKey,
                actor: "test"
            )
            bench.permissions.replace(with: try bench.fixture.store.load())
        }
        let own = try #require(try bench.check("right")).basis
        try add("a@kanzlei.example")
        #expect(try #require(try bench.check("right")).basis == own)
        try bench.set { $0.owner = "none" }
        // The only one that is left, whatever its address is.
        #expect(try #require(try bench.check("right")).basis != own)
        try add("b@kanzlei.example")
        #expect(try bench.check("right") == nil)
    }

    @Test func `another server, user name or certificate makes remembered logins void`() throws {
        let bench = try Bench()
        var bases = [try #require(try bench.check("right")).basis]
        for change in [
            { $0.imap = Endpoint(host: "localhost", port: 2, tls: .none) },
            { $0.username = "other" }, { $0.caFile = "/ca.pem" },
            { $0.imap = Endpoint(host: "other.example", port: 2, tls: .starttls) },
            { $0.imap = Endpoint(host: "other.example", port: 2, tls: .implicit) },
        ] as [(inout AccountSettings) -> Void] {
            try bench.set(change)
            bases.append(try #require(try bench.check("right")).basis)
        }
        #expect(Set(bases).count == bases.count)
    }

    // MARK: - How often

    @Test func `a wrong password is sent to the server once`() throws {
        let bench = try Bench()
        #expect(try bench.verdict("old") == .refused())
        for _ in 0..<5 { #expect(try bench.verdict("old") == Self.once) }
        #expect(bench.asked.withLock { $0 } == ["old"])
        bench.time.advance(by: UpstreamAttempts.lifetime - .seconds(1))
        #expect(try bench.verdict("old") == Self.once)
        bench.time.advance(by: .seconds(1))
        #expect(try bench.verdict("old") == .refused())
    }

    @Test func `a right password does not make the server hear a wrong one again`() throws {
        let bench = try Bench()
        #expect(try bench.verdict("old", known: true) == .refused())
        #expect(try bench.verdict("right", known: true) == .verified())
        #expect(try bench.verdict("old", known: true) == Self.once)
        #expect(bench.asked.withLock { $0 } == ["old", "right"])
    }

    @Test func `guesses from many networks reach the server a few times`() throws {
        let bench = try Bench()
        for number in 0..<50 {
            _ = try bench.verdict("guess \(number)", from: "198.51.100.\(number)")
        }
        #expect(bench.asked.withLock { $0.count } == UpstreamAttempts.maximumFromOthers)
        #expect(try bench.verdict("right", from: "198.51.100.77") == Self.tooMany)
        // The user's own networks are not shut out.
        #expect(try bench.verdict("right", known: true) == .verified())
        bench.time.advance(by: UpstreamAttempts.lifetime)
        #expect(try bench.verdict("right", from: "198.51.100.77") == .verified())
    }

    @Test func `all networks of a user have one limit`() throws {
        let bench = try Bench()
        for number in 0..<20 {
            _ = try bench.verdict("typo \(number)", from: "198.51.100.\(number)", known: true)
        }
        #expect(bench.asked.withLock { $0.count } == UpstreamAttempts.maximumFromKnown)
    }

    @Test func `a right password ends the count of the user's networks only`() throws {
        let bench = try Bench()
        for number in 0..<3 { _ = try bench.verdict("a\(number)") }
        for number in 0..<2 { _ = try bench.verdict("b\(number)", known: true) }
        #expect(try bench.verdict("right", known: true) == .verified())
        for number in 0..<3 { #expect(try bench.verdict("c\(number)", known: true) == .refused()) }
        #expect(try bench.verdict("d", known: true) == Self.tooMany)
        #expect(try bench.verdict("right") == Self.tooMany)
    }

    @Test(arguments: [false, true])
    func `a stranger who tries many users reaches the server ten times`(atOnce: Bool) {
        var attempts = UpstreamAttempts()
        let now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        var asked: [UpstreamAttempts.Attempt] = []
        for number in 0..<100 {
            let attempt = UpstreamAttempts.Attempt(
                target: UpstreamAttempts.Target(user: UserID(Int64(number)), server: []),
                network: Network(text: "198.51.100.7"),
                isKnownNetwork: false,
                mark: [UInt8(number)]
            )
            guard case .permitted = attempts.begin(attempt, at: now) else { continue }
            asked.append(attempt)
            if !atOnce { attempts.end(attempt, answer: .refused, at: now) }
        }
        #expect(asked.count == UpstreamAttempts.maximumOfNetwork)
        guard atOnce else { return }
        // Those that were right count no more.
        for attempt in asked { attempts.end(attempt, answer: .accepted, at: now) }
        #expect(attempts.begin(asked[0], at: now) == .permitted)
    }

    @Test func `a mailbox that was forgotten leaves no count of its network`() {
        var attempts = UpstreamAttempts()
        let now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        func attempt(_ number: Int, from network: String) -> UpstreamAttempts.Attempt {
            UpstreamAttempts.Attempt(
                target: UpstreamAttempts.Target(user: UserID(Int64(number)), server: []),
                network: Network(text: network),
                isKnownNetwork: false,
                mark: [1]
            )
        }
        let own = (1...UpstreamAttempts.maximumOfNetwork).map {
            attempt($0, from: "198.51.100.7")
        }
        for attempt in own { #expect(attempts.begin(attempt, at: now) == .permitted) }
        // Others, in networks of their own, until mailboxes are forgotten while they are asked for.
        for number in 0..<2 * UpstreamAttempts.maximumEntries {
            let network = "10.\(number >> 16).\(number >> 8 & 255).\(number & 255)"
            _ = attempts.begin(attempt(100 + number, from: network), at: now)
        }
        for attempt in own { attempts.end(attempt, answer: .accepted, at: now) }
        #expect(attempts.begin(own[0], at: now) == .permitted)
    }

    @Test func `an equal password waits for the answer that is on its way`() {
        var attempts = UpstreamAttempts()
        let now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        func attempt(_ mark: UInt8, known: Bool) -> UpstreamAttempts.Attempt {
            UpstreamAttempts.Attempt(
                target: UpstreamAttempts.Target(user: UserID(1), server: []),
                network: Network(text: "198.51.100.7"),
                isKnownNetwork: known,
                mark: [mark]
            )
        }
        let first = attempt(1, known: false)
        #expect(attempts.begin(first, at: now) == .permitted)
        #expect(attempts.begin(attempt(1, known: true), at: now) == .busy)
        #expect(attempts.begin(attempt(2, known: false), at: now) == .permitted)
        #expect(attempts.begin(attempt(3, known: false), at: now) == .permitted)
        // Nobody knows yet whether these are wrong.
        #expect(attempts.begin(attempt(4, known: false), at: now) == .busy)
        attempts.end(first, answer: .accepted, at: now)
        #expect(attempts.begin(attempt(1, known: true), at: now) == .permitted)
    }

    @Test func `a server that cannot be reached counts no password`() throws {
        let bench = try Bench()
        bench.failure.withLock { $0 = .notAsked(reason: "down") }
        for number in 0..<10 {
            bench.time.advance(by: UpstreamServers.pause)
            let verdict = try bench.verdict("guess \(number)")
            #expect(verdict == .unavailable(reason: "down"))
        }
        #expect(bench.asked.withLock { $0.count } == 10)
        bench.failure.withLock { $0 = nil }
        bench.time.advance(by: UpstreamServers.pause)
        #expect(try bench.verdict("right") == .verified())
    }

    @Test func `a server that breaks off after the password is not asked without end`() throws {
        let bench = try Bench()
        bench.failure.withLock { $0 = .unanswered(reason: "closed") }
        for number in 0..<10 {
            bench.time.advance(by: UpstreamServers.pause)
            guard case .unavailable = try bench.verdict("guess \(number)") else {
                Issue.record("guess \(number)")
                continue
            }
        }
        #expect(bench.asked.withLock { $0.count } == UpstreamAttempts.maximumFromOthers)
        bench.failure.withLock { $0 = nil }
        bench.time.advance(by: UpstreamAttempts.unansweredLifetime)
        #expect(try bench.verdict("right") == .verified())
    }

    private struct Servers {
        var servers = UpstreamServers()
        var now = NIODeadline.uptimeNanoseconds(1_000_000_000)

        mutating func begin(_ name: String, known: Bool = true) -> UpstreamServers.Permission {
            self.servers.begin(name, isKnownNetwork: known, at: self.now)
        }

        mutating func end(_ name: String, began: NIODeadline, _ answer: UpstreamAnswer) {
            self.servers.end(name, began: began, answer: answer, at: self.now)
        }
    }

    @Test func `a server that failed is tried by one login at a time`() {
        var bench = Servers()
        #expect(bench.begin("a:993") == .permitted)
        bench.end("a:993", began: bench.now, .notAsked(reason: "down"))
        #expect(bench.begin("a:993") == .failed(reason: "down"))
        #expect(bench.begin("b:993") == .permitted)
        bench.now = bench.now + UpstreamServers.pause
        #expect(bench.begin("a:993") == .permitted)
        #expect(bench.begin("a:993") == .failed(reason: "down"))
        bench.end("a:993", began: bench.now, .refused)
        for _ in 0..<2 { #expect(bench.begin("a:993") == .permitted) }
    }

    @Test func `a server that is slow to refuse is asked for other mailboxes`() {
        var bench = Servers()
        #expect(bench.begin("a:993", known: false) == .permitted)
        bench.end("a:993", began: bench.now, .unanswered(reason: "slow"))
        #expect(bench.begin("a:993", known: false) == .permitted)
        #expect(bench.begin("a:993") == .permitted)
    }

    @Test func `a server that hangs has half of the threads, and the others go on`() {
        var bench = Servers()
        // Strangers leave room for those who logged in lately.
        for number in 0..<UpstreamServers.maximumLogins {
            let isFree = number < UpstreamServers.maximumFromOthers
            #expect(bench.begin("a:993", known: false) == (isFree ? .permitted : .wait))
        }
        for _ in UpstreamServers.maximumFromOthers..<UpstreamServers.maximumLogins {
            #expect(bench.begin("a:993") == .permitted)
        }
        // A server that is only busy answers soon.
        #expect(bench.begin("a:993") == .wait)
        bench.end("a:993", began: bench.now, .accepted)
        #expect(bench.begin("a:993") == .permitted)
        bench.now = bench.now + UpstreamServers.longestUsual
        #expect(bench.begin("a:993") == .failed(reason: "a:993 does not answer other logins"))
        #expect(bench.begin("b:993") == .permitted)
    }

    @Test func `a corrected server or user name is asked again`() throws {
        let bench = try Bench()
        #expect(try bench.verdict("old") == .refused())
        try bench.set { $0.username = "other" }
        #expect(try bench.verdict("old") == .refused())
        #expect(bench.asked.withLock { $0 } == ["old", "old"])
    }

    // MARK: - What is stored

    @Test func `a password is learnt if none is stored`() throws {
        let bench = try Bench()
        try bench.fixture.store.removeAccount("anna@kanzlei.example", actor: "test")
        var settings = AccountSettings()
        settings.kind = .imap
        settings.owner = "anna@kanzlei.example"
        settings.imap = Endpoint(host: "localhost", port: 1, tls: .none)
        try bench.fixture.store.addAccount(
            "anna@kanzlei.example",
            settings: settings,
            masterKey: bench.fixture.masterKey,
            actor: "test"
        )
        bench.permissions.replace(with: try bench.fixture.store.load())
        let before = try #require(try bench.check("right")).basis
        #expect(try bench.verdict("wrong") == .refused())
        #expect(try bench.account().sealedPassword == nil)
        #expect(try bench.verdict("right") == .verified())
        #expect(try bench.storedPassword() == "right")
        // It is in force at once, and the next login asks for nothing to store.
        #expect(
            bench.permissions.published.endpoints[try bench.account().id]?.sealedPassword != nil
        )
        #expect(try #require(try bench.check("right")).basis != before)
        // Once the server refuses it, no login that was remembered before counts.
        let known = [before, try #require(try bench.check("right")).basis]
        bench.breaker.refused(try bench.account(), service: .imap)
        #expect(!known.contains(try #require(try bench.check("right")).basis))
        let records = try bench.fixture.store.auditEntries().map(\.record)
            .filter { $0.detail?.contains { $0.contains("account learn") } ?? false }
        #expect(records.count == 1 && records.first?.actor == "anna@kanzlei.example")
        #expect(!"\(records)".contains("right"))
    }

    @Test func `a stored password that works is not replaced`() throws {
        let bench = try Bench()
        #expect(try bench.verdict("right") == .verified())
        #expect(try bench.storedPassword() == "up-anna")
    }

    @Test func `a stored password that the server refused is replaced`() throws {
        let bench = try Bench()
        bench.breaker.refused(try bench.account(), service: .imap)
        #expect(try bench.verdict("right") == .verified())
        #expect(try bench.storedPassword() == "right")
        #expect(!bench.breaker.hasRefused(try bench.account()))
    }

    @Test func `a stored password that the server accepts again is used at once`() throws {
        let bench = try Bench()
        try bench.set { $0.password = Secret("right") }
        bench.breaker.refused(try bench.account(), service: .imap)
        #expect(try bench.verdict("right") == .verified())
        #expect(!bench.breaker.hasRefused(try bench.account()))
        #expect(bench.breaker.denial(try bench.account(), service: .imap) == nil)
    }

    @Test func `nothing is learnt from a user who is disabled meanwhile`() throws {
        let bench = try Bench()
        bench.breaker.refused(try bench.account(), service: .imap)
        let check = try #require(try bench.check("right"))
        try bench.fixture.store.setDisabled(true, login: "anna@kanzlei.example", actor: "test")
        #expect(check.run() == .verified())
        #expect(try bench.storedPassword() == "up-anna")
    }

    @Test func `nothing is learnt unless it is configured`() throws {
        let bench = try Bench(learns: false)
        bench.breaker.refused(try bench.account(), service: .imap)
        #expect(try bench.verdict("right") == .verified())
        #expect(try bench.storedPassword() == "up-anna")
    }

    @Test func `a password is not stored for a server that was changed meanwhile`() throws {
        let bench = try Bench()
        bench.breaker.refused(try bench.account(), service: .imap)
        let check = try #require(try bench.check("right"))
        try bench.set { $0.imap = Endpoint(host: "other.example", port: 993, tls: .implicit) }
        #expect(check.run() == .verified())
        #expect(try bench.storedPassword() == "up-anna")
    }

    @Test func `a password is not stored for a mailbox that has another owner meanwhile`() throws {
        let bench = try Bench()
        bench.breaker.refused(try bench.account(), service: .imap)
        let check = try #require(try bench.check("right"))
        try bench.set { $0.owner = "bob@kanzlei.example" }
        #expect(check.run() == .verified())
        #expect(try bench.storedPassword() == "up-anna")
    }
}
