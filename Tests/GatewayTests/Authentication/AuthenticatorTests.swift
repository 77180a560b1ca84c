import Access
import Dispatch
import Foundation
import Logging
import NIOCore
import NIOPosix
import SASL
import Session
import Store
import Synchronization
import Testing

@testable import Gateway

/// What a login costs, who is told what, and what is recorded.
@Suite(.serialized, .timeLimit(.minutes(20))) struct AuthenticatorTests {
    /// An authenticator with Anna and Bob, and what it records.
    private final class Bench: Sendable {
        let authenticator: Authenticator
        let permissions: StoreSnapshot
        private let records: RecordBox
        private let file: String

        final class RecordBox: Sendable {
            let records = Mutex<[AuditRecord]>([])
        }

        init() throws {
            let box = RecordBox()
            self.records = box
            self.file =
                FileManager.default.temporaryDirectory
                .appendingPathComponent("logins-\(UUID().uuidString).db").path
            let store = try PermissionStore(path: self.file)
            for name in ["anna", "bob"] {
                try store.addUser(
                    NewUser("\(name)@kanzlei.example", password: "pw-\(name)"),
                    actor: "test"
                )
                try Self.addAccount(name, store)
            }
            try Self.letAnnaSend(store)
            self.permissions = try store.load()
            self.authenticator = Authenticator(
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            ) { record in box.records.withLock { $0.append(record) } }
            self.authenticator.start()
        }

        private static func addAccount(_ name: String, _ store: PermissionStore) throws {
            var settings = AccountSettings()
            settings.kind = .imap
            settings.owner = "\(name)@kanzlei.example"
            settings.imap = Endpoint(host: "localhost", port: 1, tls: .none)
            try store.addAccount(
                "\(name)@kanzlei.example",
                settings: settings,
                masterKey: MasterKey(),
                actor: "test"
            )
        }

        private static func letAnnaSend(_ store: PermissionStore) throws {
            try store.addGrant(
                GrantRequest(
                    account: "bob@kanzlei.example",
                    subject: "anna@kanzlei.example",
                    rights: [],
                    send: .as
                ),
                actor: "test"
            )
        }

        deinit {
            for suffix in ["", "-wal", "-shm"] {
                try? FileManager.default.removeItem(atPath: self.file + suffix)
            }
        }

        func login(
            _ name: String,
            _ password: String,
            from address: String = "192.0.2.7",
            _ service: CredentialService = .imap,
            _ answer: @escaping @Sendable (Authenticator.Answer) -> Void
        ) throws -> Authenticator.Handle {
            let credentials = Credentials(
                name: Array(name.utf8),
                password: Secret(Array(password.utf8))
            )
            let request = Authenticator.Request(
                credentials: credentials,
                address: try SocketAddress(ipAddress: address, port: 1_000),
                service: service,
                actor: name,
                permissions: self.permissions
            )
            let loop = MultiThreadedEventLoopGroup.singleton.next()
            return self.authenticator.authenticate(request, on: loop, answer: answer)
        }

        /// - Returns: the answer, and the seconds that it took.
        func answer(
            _ name: String,
            _ password: String,
            from address: String = "192.0.2.7",
            _ service: CredentialService = .imap
        ) async throws -> (Authenticator.Answer, seconds: Double) {
            let start = ContinuousClock.now
            let answer = try await withCheckedThrowingContinuation { continuation in
                do {
                    _ = try self.login(name, password, from: address, service) {
                        continuation.resume(returning: $0)
                    }
                } catch {
                    continuation.resume(throwing: error)
                }
            }
            return (answer, (ContinuousClock.now - start) / .seconds(1))
        }

        func recorded(_ outcome: AuditRecord.Outcome) -> Int {
            self.records.records.withLock { $0.count { $0.outcome == outcome } }
        }

        /// Waits until so many refusals are recorded.
        func waitForRefusals(_ count: Int) async throws {
            while self.recorded(.refused) < count {
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    private static func isAccepted(_ answer: Authenticator.Answer) -> Bool {
        if case .accepted = answer { true } else { false }
    }

    private static func isRefused(_ answer: Authenticator.Answer) -> Bool {
        if case .refused = answer { true } else { false }
    }

    @Test func `a wrong password is counted and recorded although its client has disconnected`()
        async throws
    {
        let bench = try Bench()
        for number in 0..<3 {
            let handle = try bench.login("anna@kanzlei.example", "guess\(number)") { _ in }
            // Its check runs by then.
            while bench.authenticator.waitingChecks > 0 { await Task.yield() }
            bench.authenticator.cancel(handle)
            try await bench.waitForRefusals(number + 1)
        }
        #expect(bench.recorded(.refused) == 3)
        let (answer, seconds) = try await bench.answer(
            "ANNA@kanzlei.example",
            "guess",
            from: "192.0.2.9"
        )
        #expect(Self.isRefused(answer) && seconds >= 2, "\(seconds)")
    }

    @Test func `a waiting check is dropped when its client disconnects`() async throws {
        let bench = try Bench()
        // No thread is free until all have left.
        let isFree = DispatchSemaphore(value: 0)
        for _ in 0..<StoredPasswords().threads {
            bench.authenticator.pools[0].submit { _ in isFree.wait() }
        }
        let handles = try (0..<100).map { number in
            try bench.login("anna@kanzlei.example", "guess\(number)") { _ in }
        }
        #expect(bench.authenticator.waitingChecks == 100)
        for handle in handles { bench.authenticator.cancel(handle) }
        #expect(bench.authenticator.waitingChecks == 0)
        for _ in 0..<StoredPasswords().threads { isFree.signal() }
        let (answer, _) = try await bench.answer("anna@kanzlei.example", "pw-anna")
        #expect(Self.isAccepted(answer))
        #expect(bench.recorded(.refused) == 0)
    }

    @Test(arguments: ["nobody@x.example", "bob@kanzlei.example", "no address"])
    func `a login with an unusable account has the delays of a wrong password`(
        account: String
    ) async throws {
        let bench = try Bench()
        // A password that is remembered costs no more and no less.
        let (known, _) = try await bench.answer("anna@kanzlei.example", "pw-anna")
        #expect(Self.isAccepted(known))
        let name = "anna@kanzlei.example/\(account)"
        var times: [Double] = []
        for password in ["pw-anna", "wrong", "pw-anna"] {
            let (answer, seconds) = try await bench.answer(name, password)
            #expect(Self.isRefused(answer))
            times.append(seconds)
        }
        #expect(times[0] >= 0.25 && times[1] >= 0.5 && times[2] >= 1, "\(times)")
        #expect(bench.recorded(.refused) == 3)
    }

    @Test func `a mailbox that the user may only send from is accepted for submission`()
        async throws
    {
        let bench = try Bench()
        let name = "anna@kanzlei.example/bob@kanzlei.example"
        let (answer, _) = try await bench.answer(name, "pw-anna", .submission)
        #expect(Self.isAccepted(answer))
    }

    @Test func `users with a recent login are served during a flood from new networks`()
        async throws
    {
        let bench = try Bench()
        let (first, _) = try await bench.answer(
            "bob@kanzlei.example",
            "pw-bob",
            from: "2001:db8::1"
        )
        #expect(Self.isAccepted(first))
        let overloaded = Mutex(0)
        let flood = try (0..<CheckQueue.maximumWaiting + 200).map { number in
            try bench.login(
                "x\(number)@x.example",
                "guess",
                from: "2001:db8:\(String(number, radix: 16)):1::1"
            ) { answer in
                if case .overloaded = answer { overloaded.withLock { $0 += 1 } }
            }
        }
        // Another password, so that nothing is remembered of it.
        let (wrong, _) = try await bench.answer("bob@kanzlei.example", "other", from: "2001:db8::2")
        #expect(Self.isRefused(wrong))
        let (answer, _) = try await bench.answer(
            "bob@kanzlei.example",
            "pw-bob",
            from: "2001:db8::3"
        )
        #expect(Self.isAccepted(answer))
        #expect(bench.authenticator.waitingChecks > 50, "there was no flood")
        #expect(overloaded.withLock { $0 } >= 190)
        #expect(bench.recorded(.failed) >= 190)
        for handle in flood { bench.authenticator.cancel(handle) }
    }

    @Test func `a flood from one site leaves other networks their turns`() async throws {
        let bench = try Bench()
        let flood = try (0..<400).map { number in
            try bench.login(
                "x\(number)@x.example",
                "guess",
                from: "2001:db8:1:\(String(number, radix: 16))::1"
            ) { _ in }
        }
        let (answer, _) = try await bench.answer("anna@kanzlei.example", "pw-anna")
        #expect(Self.isAccepted(answer))
        #expect(bench.authenticator.waitingChecks > 150, "others were served first")
        for handle in flood { bench.authenticator.cancel(handle) }
    }

    @Test func `many connections with the same login share one check`() async throws {
        let bench = try Bench()
        let flood = try (0..<300).map { number in
            try bench.login("x@x.example", "guess", from: "192.0.2.\(number % 2)") { _ in }
        }
        #expect(bench.authenticator.waitingChecks <= 2)
        let (answer, _) = try await bench.answer(
            "anna@kanzlei.example",
            "pw-anna",
            from: "198.51.100.1"
        )
        #expect(Self.isAccepted(answer))
        for handle in flood { bench.authenticator.cancel(handle) }
    }

    @Test func `clients that come and leave keep no work of the threads`() async throws {
        let bench = try Bench()
        let isFree = DispatchSemaphore(value: 0)
        for _ in 0..<StoredPasswords().threads {
            bench.authenticator.pools[0].submit { _ in isFree.wait() }
        }
        for number in 0..<500 {
            bench.authenticator.cancel(try bench.login("x\(number)@x.example", "guess") { _ in })
        }
        let workers = { bench.authenticator.memory.withLock { $0.queues[0].workers } }
        #expect(workers() == StoredPasswords().threads && bench.authenticator.waitingChecks == 0)
        for _ in 0..<StoredPasswords().threads { isFree.signal() }
        let (answer, _) = try await bench.answer("anna@kanzlei.example", "pw-anna")
        #expect(Self.isAccepted(answer))
        while workers() > 0 { try await Task.sleep(for: .milliseconds(5)) }
        #expect(bench.recorded(.refused) == 0)
    }

    @Test func `hundreds of logins are all answered, none with an overload`() async throws {
        let bench = try Bench()
        let answered = Mutex(0)
        let overloaded = Mutex(0)
        let handles = try (0..<300).map { number in
            try bench.login("x\(number)@x.example", "guess", from: "192.0.2.\(number % 250)") {
                if case .overloaded = $0 { overloaded.withLock { $0 += 1 } }
                answered.withLock { $0 += 1 }
            }
        }
        while answered.withLock({ $0 }) < handles.count {
            try await Task.sleep(for: .milliseconds(50))
        }
        #expect(overloaded.withLock { $0 } == 0)
        #expect(bench.recorded(.refused) == handles.count && bench.recorded(.failed) == 0)
    }

    @Test func `after the end of the threads no password is checked`() async throws {
        let bench = try Bench()
        try await bench.authenticator.stop()
        _ = try bench.login("anna@kanzlei.example", "guess") { _ in }
        #expect(bench.authenticator.waitingChecks == 1)
        #expect(bench.authenticator.memory.withLock { $0.queues[0].workers } == 0)
        #expect(bench.recorded(.refused) == 0)
    }
}
