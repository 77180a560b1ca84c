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
    private final class Bench: Sendable {
        let fixture: StoreFixture
        let time = ManualTime()
        let permissions: CurrentPermissions
        let breaker: CredentialBreaker
        /// The password that the server accepts; nil for a server that does not answer.
        let right = Mutex<String?>("right")
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
                    box.verify?(credential) ?? .unavailable(reason: "no test")
                }
            )
            box.verify = { [unowned self] in self.verify($0) }
        }

        private final class VerifierBox: @unchecked Sendable {
            var verify: (@Sendable (UpstreamCredential) -> SourceVerdict)?
        }

        /// The mail server.
        private func verify(_ credential: UpstreamCredential) -> SourceVerdict {
            let password = String(decoding: credential.proof.secret.value, as: UTF8.self)
            self.asked.withLock { $0.append(password) }
            guard let right = self.right.withLock({ $0 }) else {
                return .unavailable(reason: "down")
            }
            return password == right ? .verified : .refused()
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
                password: Secret(Array(password.utf8)),
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
        #expect(try bench.verdict("right") == .verified)
        #expect(try bench.verdict("wrong") == .refused())
        #expect(bench.asked.withLock { $0 } == ["right", "wrong"])
    }

    @Test(arguments: ["", "a\0b", "a\r\nb", String(repeating: "x", count: 257)])
    func `a password that no login can carry is refused without a question`(
        password: String
    ) throws {
        let bench = try Bench()
        #expect(try bench.verdict(password) != .verified)
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
        for _ in 0..<5 { #expect(try bench.verdict("old") == .refused()) }
        #expect(bench.asked.withLock { $0 } == ["old"])
        bench.time.advance(by: UpstreamAttempts.lifetime)
        #expect(try bench.verdict("old") == .refused())
        #expect(bench.asked.withLock { $0 } == ["old", "old"])
    }

    @Test func `guesses from many networks reach the server a few times`() throws {
        let bench = try Bench()
        for number in 0..<50 {
            _ = try bench.verdict("guess \(number)", from: "198.51.100.\(number)")
        }
        let asked = bench.asked.withLock { $0.count }
        #expect(asked == UpstreamAttempts.maximumFromOthers)
        let verdict = try bench.verdict("right", from: "198.51.100.77")
        #expect(
            verdict == .refused(detail: "too many wrong passwords: the mail server was not asked")
        )
        // The user's own network is not shut out.
        #expect(try bench.verdict("right", known: true) == .verified)
        bench.time.advance(by: UpstreamAttempts.lifetime)
        #expect(try bench.verdict("right", from: "198.51.100.77") == .verified)
    }

    @Test func `a server that does not answer counts no password as wrong`() throws {
        let bench = try Bench()
        bench.right.withLock { $0 = nil }
        for _ in 0..<10 { #expect(try bench.verdict("right") == .unavailable(reason: "down")) }
        bench.right.withLock { $0 = "right" }
        #expect(try bench.verdict("right") == .verified)
    }

    @Test func `a right password ends the count of its network only`() throws {
        let bench = try Bench()
        for number in 0..<3 { _ = try bench.verdict("a\(number)") }
        #expect(try bench.verdict("right") == .verified)
        for number in 0..<4 { _ = try bench.verdict("b\(number)") }
        #expect(bench.asked.withLock { $0.count } == 8)
        for number in 0..<4 { _ = try bench.verdict("c\(number)") }
        #expect(bench.asked.withLock { $0.count } == 8)
        #expect(try bench.verdict("right", known: true) == .verified)
        #expect(try bench.verdict("d") != .verified)
        #expect(!bench.asked.withLock { $0.contains("d") })
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
        #expect(try bench.verdict("right") == .verified)
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
        #expect(try bench.verdict("right") == .verified)
        #expect(try bench.storedPassword() == "up-anna")
    }

    @Test func `a stored password that the server refused is replaced`() throws {
        let bench = try Bench()
        bench.breaker.refused(try bench.account(), service: .imap)
        #expect(try bench.verdict("right") == .verified)
        #expect(try bench.storedPassword() == "right")
        #expect(!bench.breaker.hasRefused(try bench.account()))
    }

    @Test func `nothing is learnt unless it is configured`() throws {
        let bench = try Bench(learns: false)
        bench.breaker.refused(try bench.account(), service: .imap)
        #expect(try bench.verdict("right") == .verified)
        #expect(try bench.storedPassword() == "up-anna")
    }

    @Test func `a password is not stored for a server that was changed meanwhile`() throws {
        let bench = try Bench()
        bench.breaker.refused(try bench.account(), service: .imap)
        let check = try #require(try bench.check("right"))
        try bench.set { $0.imap = Endpoint(host: "other.example", port: 993, tls: .implicit) }
        #expect(check.run() == .verified)
        #expect(try bench.storedPassword() == "up-anna")
    }

    @Test func `a password is not stored for a mailbox that has another owner meanwhile`() throws {
        let bench = try Bench()
        bench.breaker.refused(try bench.account(), service: .imap)
        let check = try #require(try bench.check("right"))
        try bench.set { $0.owner = "bob@kanzlei.example" }
        #expect(check.run() == .verified)
        #expect(try bench.storedPassword() == "up-anna")
    }
}
