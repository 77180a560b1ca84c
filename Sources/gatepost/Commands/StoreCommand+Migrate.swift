import ArgumentParser
import Foundation
import Gateway
import Store

/// New stores, and copies of stores.
extension StoreCommand {
    /// `gatepost store create`: creates the tables of an empty store, for example in a database of
    /// PostgreSQL, and seals its audit log.
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make an empty store where gatepost.yaml says.",
            discussion: "Does nothing to a store that exists."
        )

        @OptionGroup var configuration: ConfigurationOption

        func run() async throws {
            try CryptographyCheck.require()
            let configuration = try await self.configuration.load()
            let masterKey = try MasterKey(file: configuration.masterKey)
            let store = try PermissionStore(configuration.storeLocation)
            // A seal from the start: replacing the whole log is detected.
            if try store.ownSeal() == nil { try store.sealAudit(masterKey, begins: true) }
            print("the store is ready: \(configuration.storeLocation.name)")
        }
    }

    /// `gatepost store migrate TARGET`: copies the store of the configuration into a new file, or
    /// into a database of PostgreSQL, and compares both.
    ///
    /// The gateways must be stopped: what they wrote after the copy was made would be missing.
    struct Migrate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write the store into a new file or database, and compare both.",
            discussion: """
                Stop all gateways first. Afterwards, write TARGET into gatepost.yaml as store: and start \
                them again. The original stays as it is. Copies of messages that wait for the Sent \
                folder stay in the folder `sent` of each node. A database in which such copies wait is
                not copied: let the gateways file them first.
                """
        )

        @OptionGroup var configuration: ConfigurationOption

        @Argument(help: "A path, or postgresql://USER@HOST/DATABASE. It must not have a store yet.")
        var target: String

        @Option(help: "Set the name of this node in a database, as node: in gatepost.yaml does.")
        var node = ProcessInfo.processInfo.hostName

        func run() async throws {
            let (store, _) = try await self.configuration.openForChange(.administrator)
            let configuration = try await self.configuration.load()
            try await Self.requireStopped(configuration, store: store)
            let location = self.location(configuration)
            guard location != configuration.storeLocation else {
                throw Failure("\(self.target) is the store of gatepost.yaml: name another place")
            }
            let masterKey = try MasterKey(file: configuration.masterKey)
            let copy = try PermissionStore(location)
            let migration = try store.copy(to: copy)
            // The place of the copy has an audit log of its own.
            if try copy.ownSeal() == nil { try copy.sealAudit(masterKey, begins: true) }
            copy.close()
            let count = migration.rows.values.reduce(0, +)
            print(
                """
                revision \(migration.revision) was copied and compared: \(count) rows
                Next: write store: \(self.shown(location)) into \(configuration.file)
                """
            )
        }

        /// The place that the argument names, for this node.
        private func location(_ configuration: GatewayConfiguration) -> StoreLocation {
            guard StoreLocation.isURL(self.target) else { return .file(path: self.target) }
            let folder = URL(fileURLWithPath: configuration.store).deletingLastPathComponent().path
            return .postgreSQL(
                PostgreSQLServer(
                    url: self.target,
                    node: self.node,
                    state: folder
                )
            )
        }

        /// The argument without a password.
        private func shown(_ location: StoreLocation) -> String {
            StoreLocation.isURL(self.target) ? "the URL of the \(location.name)" : self.target
        }

        /// - Throws: ``Failure`` if a gateway uses the store.
        private static func requireStopped(
            _ configuration: GatewayConfiguration,
            store: PermissionStore
        ) async throws {
            let request = ControlMessage.Request(state: true, actor: Actor.current.recorded)
            let answer = try? await ControlClient.ask(request, at: configuration.controlSocket)
            guard answer == nil else {
                throw Failure("the gateway runs: stop it first, gatepost store migrate copies then")
            }
            let nodes = try store.livingNodes()
            guard nodes.isEmpty else {
                throw Failure(
                    "gateways run and would write what the copy lacks: stop \(nodes.joined(separator: ", "))"
                )
            }
        }
    }
}
