import Access
import Foundation
import Logging
import NIOCore
import NIOEmbedded
import NIOPosix
import SASL
import Session
import Store
import Support
import Synchronization
import Testing

@testable import Gateway

/// Logins that several sources may verify: the order, and what a source that hangs or fails means.
@Suite struct AuthenticationSourceTests {
    /// A source whose verdicts a test chooses.
    private final class Source: AuthenticationSource {
        let name = AuthenticationSourceName.upstream
        let threads = 1
        private let verdict: @Sendable (LoginClaim) -> SourceVerdict?
        let asked = Mutex<[String]>([])
        let basis = Mutex<[UInt8]>([])

        /// - Parameter verdict: nil for a login that is not the source's.
        init(_ verdict: @escaping @Sendable (LoginClaim) -> SourceVerdict?) {
            self.verdict = verdict
        }

        func check(of claim: LoginClaim, in permissions: StoreSnapshot) -> SourceCheck? {
            guard self.verdict(claim) != nil else { return nil }
            let basis = self.basis.withLock { $0 }
            return SourceCheck(subject: Array("test".utf8), basis: basis) { [self] in
                self.asked.withLock {
                    $0.append(String(decoding: claim.password?.value ?? [], as: UTF8.self))
                }
                return self.verdict(claim) ?? .notMine
            }
        }
    }

    private final class Bench: Sendable {
        let fixture: StoreFixture
        let source: Source
        let authenticator: Authenticator
        let records = Mutex<[AuditRecord]>([])
        private let loop = MultiThreadedEventLoopGroup.singleton.next()

        init(
            _ sources: [AuthenticationSourceName] = [.upstream],
            time: ManualTime = ManualTime(),
            verdict: @escaping @Sendable (LoginClaim) -> SourceVerdict?
        ) throws {
            let box = RecordBox()
            self.fixture = try StoreFixture()
            self.source = Source(verdict)
            var settings = AuthenticationSettings()
            settings.sources = sources
            self.authenticator = Authenticator(
                logger: self.fixture.log.logger,
                sources: AuthenticationSources(settings, others: [self.source]),
                now: { time.now },
                record: { box.add?($0) }
            )
            box.add = { [unowned self] record in self.records.withLock { $0.append(record) } }
            self.authenticator.start()
        }

        private final class RecordBox: @unchecked Sendable {
            var add: (@Sendable (AuditRecord) -> Void)?
        }

        func login(
            _ name: String,
            _ password: String,
            answer: @escaping @Sendable (Authenticator.Answer) -> Void
        ) throws -> Authenticator.Handle {
            let credentials = Credentials(
                name: Array(name.utf8),
                password: Secret(Array(password.utf8))
            )
            return try self.login(credentials, answer: answer)
        }

        func login(
            _ credentials: Credentials,
            answer: @escaping @Sendable (Authenticator.Answer) -> Void
        ) throws -> Authenticator.Handle {
            let request = Authenticator.Request(
                credentials: credentials,
                address: try SocketAddress(ipAddress: "192.0.2.7", port: 1_000),
                service: .imap,
                actor: "actor",
                permissions: try self.fixture.store.load()
            )
            return self.authenticator.authenticate(request, on: self.loop, answer: answer)
        }

        /// - Returns: `accepted`, `refused`, `overloaded` or `unavailable`.
        func answer(_ name: String, _ password: String) async throws -> String {
            try await self.answer(
                Credentials(name: Array(name.utf8), password: Secret(Array(password.utf8)))
            )
        }

        func answer(_ credentials: Credentials) async throws -> String {
            try await withCheckedThrowingContinuation { continuation in
                do {
                    _ = try self.login(credentials) {
                        let word = "\($0)".prefix { $0 != "(" }
                        continuation.resume(returning: String(word))
                    }
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }

        var asked: [String] { self.source.asked.withLock { $0 } }
    }

    private static let anna = "anna@kanzlei.example"

    @Test func `a password that the source knows opens the session`() async throws {
        let bench = try Bench { _ in .verified() }
        #expect(try await bench.answer(Self.anna, "at the server") == "accepted")
        #expect(bench.asked == ["at the server"])
    }

    @Test func `a remembered login does not ask again until the basis changes`() async throws {
        let bench = try Bench { _ in .verified() }
        for _ in 0..<3 { #expect(try await bench.answer(Self.anna, "pw") == "accepted") }
        #expect(bench.asked == ["pw"])
        bench.source.basis.withLock { $0 = [1] }
        #expect(try await bench.answer(Self.anna, "pw") == "accepted")
        #expect(bench.asked == ["pw", "pw"])
        #expect(try await bench.answer(Self.anna, "other") == "accepted")
        #expect(bench.asked == ["pw", "pw", "other"])
    }

    @Test func `a refusal stops: the next source is not asked`() async throws {
        let bench = try Bench([.upstream, .gateway]) { _ in .refused(detail: "why") }
        #expect(try await bench.answer(Self.anna, "pw-anna") == "refused")
        #expect(bench.records.withLock { $0.map(\.detail) } == [["why"]])
        let other = try Bench([.gateway, .upstream]) { _ in .verified() }
        #expect(try await other.answer(Self.anna, "not in the store") == "refused")
        #expect(other.asked.isEmpty)
    }

    @Test func `a login that a later source verified is not remembered before an earlier source`()
        async throws
    {
        let isAsked = Mutex(false)
        let bench = try Bench([.upstream, .gateway]) { _ in
            isAsked.withLock { $0 } ? .refused() : nil
        }
        #expect(try await bench.answer(Self.anna, "pw-anna") == "accepted")
        isAsked.withLock { $0 = true }
        #expect(try await bench.answer(Self.anna, "pw-anna") == "refused")
    }

    @Test func `a login that a mail server verified is remembered for five minutes at most`()
        async throws
    {
        let time = ManualTime()
        let bench = try Bench(time: time) { _ in .verified() }
        for _ in 0..<5 {
            #expect(try await bench.answer(Self.anna, "pw") == "accepted")
            time.advance(by: .minutes(1))
        }
        #expect(bench.asked == ["pw"])
        #expect(try await bench.answer(Self.anna, "pw") == "accepted")
        #expect(bench.asked == ["pw", "pw"])
    }

    @Test func `the hash of a long password is not remembered in its place`() async throws {
        let bench = try Bench { claim in
            claim.password?.value.count == 100 ? .verified() : .refused()
        }
        let password = String(repeating: "x", count: 100)
        #expect(try await bench.answer(Self.anna, password) == "accepted")
        let hash = PasswordHash.shortened(Array(password.utf8))
        let credentials = Credentials(name: Array(Self.anna.utf8), password: Secret(hash))
        #expect(try await bench.answer(credentials) == "refused")
        #expect(try await bench.answer(Self.anna, password) == "accepted")
        #expect(bench.asked.count == 2)
    }

    @Test func `a mailbox or a password that changed during the check opens no session`() throws {
        let bench = try Bench([.gateway]) { _ in nil }
        let before = try bench.fixture.store.load()
        let handle = try bench.login(Self.anna, "pw-anna") { _ in }
        let record = try #require(before.passwords[try bench.fixture.user("anna")])
        handle.login.decided(by: StoredPasswords.basis(of: record), end: .none)
        #expect(bench.authenticator.isCurrent(handle, in: before))
        try bench.fixture.store.setPassword("other", of: Self.anna, actor: "test")
        #expect(!bench.authenticator.isCurrent(handle, in: try bench.fixture.store.load()))
        try bench.fixture.store.setDisabled(true, login: Self.anna, actor: "test")
        #expect(!bench.authenticator.isCurrent(handle, in: try bench.fixture.store.load()))
    }

    @Test func `a login that a source does not know goes to the next one`() async throws {
        let bench = try Bench([.upstream, .gateway]) { _ in .notMine }
        #expect(try await bench.answer(Self.anna, "pw-anna") == "accepted")
        #expect(try await bench.answer(Self.anna, "wrong") == "refused")
        let none = try Bench([.upstream, .gateway]) { _ in nil }
        #expect(try await none.answer(Self.anna, "pw-anna") == "accepted")
        #expect(none.asked.isEmpty)
    }

    @Test func `a login that no source knows is refused`() async throws {
        let bench = try Bench { _ in .notMine }
        #expect(try await bench.answer(Self.anna, "pw-anna") == "refused")
    }

    @Test func `a source that cannot answer never falls through to a weaker one`() async throws {
        let bench = try Bench([.upstream, .gateway]) { _ in .unavailable(reason: "it is down") }
        #expect(try await bench.answer(Self.anna, "pw-anna") == "unavailable")
        let record = try #require(bench.records.withLock { $0 }.first)
        #expect(record.outcome == .failed)
        #expect(record.detail == ["the source upstream cannot check logins: it is down"])
        let line = "a source of logins cannot be asked: clients are told to try again"
        #expect(bench.fixture.log.count(line) == 1)
        _ = try await bench.answer(Self.anna, "pw-anna")
        #expect(bench.fixture.log.count(line) == 1)
    }

    @Test(arguments: ["nobody@kanzlei.example", "", "anna@kanzlei.exampl\u{435}"])
    func `no source is asked for a login that no user has`(login: String) async throws {
        let bench = try Bench { _ in .verified() }
        let start = ContinuousClock.now
        #expect(try await bench.answer(login, "pw") == "refused")
        #expect(bench.asked.isEmpty)
        // As long as a mail server takes to refuse a password.
        #expect(ContinuousClock.now - start >= .seconds(4))
    }

    @Test func `a user who is disabled here is refused, whatever the source says`() async throws {
        let bench = try Bench { _ in .verified() }
        try bench.fixture.store.setDisabled(true, login: Self.anna, actor: "test")
        #expect(try await bench.answer(Self.anna, "pw") == "refused")
        #expect(bench.asked.isEmpty)
    }

    @Test(arguments: ["ANNA@KANZLEI.EXAMPLE", "Anna@Kanzlei.Example"])
    func `the case of a login does not make another login`(login: String) async throws {
        let bench = try Bench { _ in .verified() }
        #expect(try await bench.answer(login, "pw") == "accepted")
    }

    @Test func `a source that hangs delays no login of another source`() async throws {
        let isFree = DispatchSemaphore(value: 0)
        let bench = try Bench([.upstream, .gateway]) { claim in
            guard claim.user.login.description == Self.anna else { return nil }
            return claim.password?.value.first == UInt8(ascii: "h") ? .refused() : .verified()
        }
        bench.authenticator.pools[1].submit { _ in isFree.wait() }
        let waiting = try (0..<40).map { try bench.login(Self.anna, "h\($0)") { _ in } }
        // The answer comes although the thread of the other source is not free yet.
        #expect(try await bench.answer("bob@kanzlei.example", "pw-bob") == "accepted")
        #expect(bench.asked.isEmpty)
        for handle in waiting { bench.authenticator.cancel(handle) }
        #expect(bench.authenticator.waitingChecks == 0)
        isFree.signal()
    }

    @Test func `a client that leaves is not passed to the next source`() async throws {
        let (isFree, hasBegun) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let bench = try Bench([.upstream, .gateway]) { claim in
            guard claim.password?.value == Array("leaves".utf8) else { return .notMine }
            return .notMine
        }
        bench.authenticator.pools[1].submit { _ in
            hasBegun.signal()
            isFree.wait()
        }
        hasBegun.wait()
        let handle = try bench.login(Self.anna, "leaves") { _ in }
        bench.authenticator.cancel(handle)
        isFree.signal()
        #expect(try await bench.answer(Self.anna, "pw-anna") == "accepted")
        #expect(bench.asked == ["pw-anna"])
    }
}
