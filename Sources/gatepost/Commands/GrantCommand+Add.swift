import Access
import ArgumentParser
import Foundation
import Gateway
import Store

/// `gatepost grant add …`
extension GrantCommand {
    /// What may be granted for sending.
    enum Send: String, ExpressibleByArgument, CaseIterable {
        case `as`
        case onBehalf = "on-behalf"
    }

    /// `gatepost grant add …`
    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Grant a user or a group rights on an account."
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument var account: String
        @Argument(help: "A login, or group:NAME.") var subject: String
        @Flag(help: "lr") var view = false
        @Flag(help: "lrswite") var edit = false
        @Flag(help: "lrswipkxte") var manage = false
        @Option(help: "Letters of RFC 4314: lrswipkxte.") var rights: String?
        @Option(help: "as: nothing in a message shows who sent it; on-behalf: its Sender does.")
        var send: Send?
        @Option(help: "One folder of the account.") var folder: String?
        @Flag(help: "The folder and everything below it.") var subtree = false
        @Option(help: "YYYY-MM-DD, the last day in UTC; or YYYY-MM-DDTHH:MM:SSZ.") var until:
            String?
        @Option var reason: String?
        @Flag(help: "Do not look the folder up on the server.") var noCheck = false
        @OptionGroup var confirmation: YesOption

        func validate() throws {
            let sets = [self.view, self.edit, self.manage, self.rights != nil].filter { $0 }.count
            guard sets <= 1 else {
                throw ValidationError("one of --view, --edit, --manage and --rights")
            }
            guard sets == 1 || self.send != nil else {
                throw ValidationError("--view, --edit, --manage, --rights or --send is needed")
            }
            if let letters = self.rights, Self.rights(letters) == nil {
                throw ValidationError("\(letters): letters of lrswipkxte; `a` belongs to the owner")
            }
            guard !self.subtree || self.folder != nil else {
                throw ValidationError("--subtree goes with --folder")
            }
        }

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange()
            var scope = Scope.account
            if let folder = self.folder {
                let path = try PermissionStore.folder(folder)
                try store.requireLocalGrants(self.account)
                scope = self.subtree ? .subtree(path) : .folder(path)
                if !self.noCheck {
                    let report = try await self.lookUp(path, store: store)
                    try self.confirmCollections(report, in: scope)
                }
            }
            let isPending = try store.addGrant(
                GrantRequest(
                    account: self.account,
                    subject: self.subject,
                    rights: self.namedRights,
                    send: SendRight(name: self.send?.rawValue ?? "none"),
                    scope: scope,
                    until: try self.until.map { try Moment.argument($0) },
                    reason: self.reason
                ),
                consent: try await self.configuration.load().oversight.consent,
                actor: actor
            )
            if isPending {
                print("\(self.account) has an owner: it counts when the owner has confirmed it")
            }
            let walls = try store.walls(barring: self.subject, from: self.account)
            for wall in walls {
                Output.line(
                    "a wall bars \(wall.subject), and this counts for nothing: \(wall.reason)"
                )
            }
        }

        private var namedRights: Rights {
            if self.view { return .view }
            if self.edit { return .edit }
            if self.manage { return .manage }
            return self.rights.flatMap(Self.rights) ?? []
        }

        /// - Returns: nil for letters that cannot be granted.
        private static func rights(_ letters: String) -> Rights? {
            Rights(letters: letters).flatMap { $0.contains(.administer) ? nil : $0 }
        }

        /// A grant for a folder that is not there would look as if it did something.
        private func lookUp(
            _ folder: FolderPath,
            store: PermissionStore
        ) async throws -> ProbeReport {
            let upstream = try store.upstream(self.account)
            let stored = StoredCredentials(try await self.configuration.load())
            if let found = await stored.suspension(of: upstream, .imap) {
                throw Failure(
                    "the folder cannot be looked up: \(found.explanation); say --no-check to grant "
                        + "without looking"
                )
            }
            let credential = try await self.configuration.credential(of: upstream)
            let report: ProbeReport
            do {
                report = try await stored.probe(upstream, service: .imap) { () throws(ProbeError) in
                    try await UpstreamProbe().probe(upstream, credential: credential)
                }
            } catch {
                throw Failure(
                    "the folder cannot be looked up: \(upstream.imap.host) \(error); say "
                        + "--no-check to grant without looking"
                )
            }
            guard !report.folders.contains(folder) else { return report }
            let near = report.folders.first {
                Self.fold($0.description) == Self.fold(folder.description)
            }
            let hint = near.map { "; \($0) is there, and is another folder" } ?? ""
            throw Failure(
                "\(self.account) has no folder \(folder)\(hint) "
                    + "(say --no-check to grant it before it is made)"
            )
        }

        /// A folder of this kind has messages of every folder in it: what is granted is more than its
        /// name says.
        private func confirmCollections(_ report: ProbeReport, in scope: Scope) throws {
            let named = report.collections.filter { scope.covers($0.key) }
            guard let (folder, attribute) = named.min(by: { $0.key < $1.key }) else { return }
            try self.confirmation.confirm(
                "\(Output.printable(folder.description)) is marked \(attribute): it shows messages "
                    + "of every folder of \(self.account). Grant it"
            )
        }

        /// For a hint only: how a person reads a name.
        private static func fold(_ text: String) -> String {
            text.precomposedStringWithCanonicalMapping.lowercased()
                .replacingOccurrences(of: ".", with: "/")
        }
    }
}
