import Access
import Foundation
import Logging
import NIOCore
import Store

@testable import Gateway

/// A store that each fixture begins with: hashing passwords takes a second of a busy machine.
private struct Template {
    static let made = Result { try Template() }

    let file: URL
    let masterKey = MasterKey()

    private init() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("template-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        self.file = folder.appendingPathComponent("store.db")
        let store = try PermissionStore(path: self.file.path)
        for name in ["anna", "bob"] {
            try Self.add(name, to: store, masterKey: self.masterKey)
        }
        store.close()
    }

    private static func add(
        _ name: String,
        to store: PermissionStore,
        masterKey: MasterKey
    ) throws {
        let address = "\(name)@kanzlei.example"
        try store.addUser(NewUser(address, password: "pw-\(name)"), actor: "test")
        var settings = AccountSettings()
        settings.kind = .imap
        settings.owner = address
        settings.imap = Endpoint(host: "localhost", port: 1, tls: .none)
        try store.addAccount(address, settings: settings, masterKey: masterKey, actor: "test")
    }
}

/// What all connections of a gateway share, over a store of its own that goes away with this object.
///
/// Anna and Bob each have a password (`pw-anna`, `pw-bob`) and an account at a server that does not exist.
final class GatewayFixture: Sendable {
    let folder: URL
    let store: PermissionStore
    let masterKey: MasterKey
    let gateway: GatewayContext

    /// - Parameters:
    ///   - limits: changes the default limits.
    ///   - audit: whether shared access depends on the audit log.
    ///   - checksPasswords: whether the threads run that check passwords.
    init(
        audit: GatewayConfiguration.AuditMode = .besteffort,
        checksPasswords: Bool = false,
        limits change: (inout GatewayConfiguration.Limits) -> Void = { _ in }
    ) throws {
        self.folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("gateway-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: self.folder,
            withIntermediateDirectories: true
        )
        let template = try Template.made.get()
        let file = self.folder.appendingPathComponent("store.db")
        try FileManager.default.copyItem(at: template.file, to: file)
        self.masterKey = template.masterKey
        self.store = try PermissionStore(path: file.path)
        var limits = GatewayConfiguration.Limits()
        change(&limits)
        var oversight = GatewayConfiguration.Oversight()
        oversight.audit = audit
        self.gateway = try GatewayContext(
            configuration: GatewayConfiguration(
                file: self.folder.appendingPathComponent("gateway.yaml").path,
                listeners: [],
                certificates: [DevelopmentCertificate.files.get()],
                storeLocation: .file(path: file.path),
                masterKey: self.folder.appendingPathComponent("master.key").path,
                threads: 1,
                logLevel: "debug",
                limits: limits,
                hostName: "gateway.kanzlei.example",
                exchange: nil,
                oversight: oversight,
                runAs: nil
            ),
            store: self.store,
            masterKey: self.masterKey,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        if checksPasswords { self.gateway.authenticator.start() }
    }

    deinit {
        let gateway = self.gateway
        Task { try? await gateway.authenticator.stop() }
        self.store.close()
        try? FileManager.default.removeItem(at: self.folder)
    }

    func user(_ name: String) -> UserID? {
        Address(Array("\(name)@kanzlei.example".utf8))
            .flatMap { self.gateway.permissions.current.access.user(login: $0)?.id }
    }

    /// Makes a change in the store and puts it into force.
    func change(_ change: (PermissionStore) throws -> Void) throws {
        try change(self.store)
        self.gateway.permissions.replace(with: try self.store.load())
    }
}
