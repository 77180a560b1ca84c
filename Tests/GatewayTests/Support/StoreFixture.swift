import Access
import Foundation
import NIOCore
import SASL
import Store
import Support
import Synchronization
import Testing

@testable import Gateway

/// A store in a folder of its own: users with the password `pw-NAME`, each with a mailbox.
final class StoreFixture: Sendable {
    let folder: TemporaryFolder
    let store: PermissionStore
    let masterKey = StoreFixture.key
    let log = LogLines()
    /// Writes for the services of a test; its thread ends with the fixture's.
    let background = BackgroundWriter()

    private static let key = MasterKey()
    /// Stores that were made already, by what is in them: a password's hash takes a tenth of a second and more.
    private static let made = Mutex<[String: Data]>([:])

    /// - Parameter port: of the mailboxes' servers on this machine.
    init(_ names: [String] = ["anna", "bob"], port: Int = 1) throws {
        self.folder = try TemporaryFolder()
        self.background.start()
        let file = URL(fileURLWithPath: self.folder.path("gatepost.sqlite"))
        let key = names.joined(separator: " ") + " \(port)"
        if let octets = Self.made.withLock({ $0[key] }) {
            try octets.write(to: file)
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o600],
                ofItemAtPath: file.path
            )
            self.store = try PermissionStore(path: file.path, creates: false)
            return
        }
        let store = try PermissionStore(path: file.path)
        try store.sealAudit(self.masterKey, begins: true)
        for name in names { try Self.add(name, port: port, to: store) }
        store.close()
        let octets = try Data(contentsOf: file)
        Self.made.withLock { $0[key] = octets }
        self.store = try PermissionStore(path: file.path, creates: false)
    }

    private static func add(_ name: String, port: Int, to store: PermissionStore) throws {
        try store.addUser(NewUser(self.address(name), password: "pw-\(name)"), actor: "test")
        var settings = AccountSettings()
        settings.kind = .imap
        settings.owner = self.address(name)
        settings.imap = Endpoint(host: "localhost", port: port, tls: .none)
        settings.password = Secret("up-\(name)")
        try store.addAccount(
            self.address(name),
            settings: settings,
            masterKey: self.key,
            actor: "test"
        )
    }

    /// Waits for all that was asked of ``background``.
    func drain() async {
        await withCheckedContinuation { continuation in
            self.background.submit { continuation.resume() }
        }
    }

    /// Ends the thread of ``background``, after all that was asked of it.
    func stop() async throws {
        try await self.background.stop()
    }

    static func address(_ name: String) -> String { "\(name)@kanzlei.example" }

    /// Grants somebody rights on a mailbox.
    func grant(
        _ account: String,
        to subject: String,
        _ rights: Rights = [.lookup, .read],
        send: SendRight = .none
    ) throws {
        try self.store.addGrant(
            GrantRequest(
                account: Self.address(account),
                subject: Self.address(subject),
                rights: rights,
                send: send
            ),
            actor: "test"
        )
    }

    func user(_ name: String) throws -> UserID {
        let address = try #require(Address(Array(Self.address(name).utf8)))
        return try #require(try self.store.load().access.user(login: address)).id
    }

    func account(_ name: String) throws -> AccountID {
        let address = try #require(Address(Array(Self.address(name).utf8)))
        return try #require(try self.store.load().access.account(address: address)).id
    }

    static func folderPath(_ name: String) throws -> FolderPath {
        try #require(FolderPath(octets: Array(name.utf8)))
    }

    /// The permissions as they are in the file now.
    func permissions() throws -> CurrentPermissions {
        CurrentPermissions(try self.store.load())
    }
}

/// Time that a test moves on.
final class ManualTime: Sendable {
    private let uptime = Mutex(NIODeadline.uptimeNanoseconds(1_000_000_000_000))
    private let wall = Mutex(Moment(seconds: 1_700_000_000))

    var now: NIODeadline { self.uptime.withLock { $0 } }
    var moment: Moment { self.wall.withLock { $0 } }

    func advance(by time: TimeAmount) {
        self.uptime.withLock { $0 = $0 + time }
        self.wall.withLock { $0 = Moment(seconds: $0.seconds + time.nanoseconds / 1_000_000_000) }
    }
}

/// Runs what asks for a callback, and gives what it was called with.
func answer<Value: Sendable>(
    _ body: (@escaping @Sendable (Value) -> Void) throws -> Void
) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        do {
            try body { continuation.resume(returning: $0) }
        } catch {
            continuation.resume(throwing: error)
        }
    }
}
