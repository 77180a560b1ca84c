import Access
import ArgumentParser
import Foundation
import Gateway
import SASL
import Store

/// The verb `add` of `gatepost grant`.
extension GrantCommand {
    /// The value of `--send`: how the user may send from the account.
    enum Send: String, ExpressibleByArgument, CaseIterable {
        /// The message shows only the account as its author (send as).
        case `as`
        /// The message's `Sender` field names the user (send on behalf).
        case onBehalf = "on-behalf"
    }

    /// `gatepost grant add ACCOUNT SUBJECT`: requires the role `settings`.
    ///
    /// It refuses accounts whose grants come from Exchange. If `consent` is `required` and the
    /// account has an owner, the grant takes effect after the owner's confirmation.
    ///
    /// It replaces a grant for the same subject and scope. With `--folder` it looks up the folder
    /// on the account's server, and asks for confirmation if the folder shows messages of other
    /// folders.
    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Grant a user or a group rights on an account.",
            discussion: """
                Name one of --view, --edit, --manage and --rights, or --send, or both. A grant on \
                the account of an owner who must consent takes effect after the confirmation.
                """
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument(help: "The account's address.") var account: String
        @Argument(help: "A login, or group:NAME.") var subject: String
        @Flag(help: "Grant reading: rights lr.") var view = false
        @Flag(help: "Grant reading, flags, deleting and adding messages: rights lrswite.")
        var edit = false
        @Flag(help: "Grant editing, and creating and deleting folders: rights lrswipkxte.")
        var manage = false
        @Option(help: "Grant these rights of RFC 4314: letters of lrswipkxte.") var rights: String?
        @Option(help: "Grant sending: as hides who sent a message; on-behalf names the Sender.")
        var send: Send?
        @Option(help: "Grant only this folder of the account.") var folder: String?
        @Flag(help: "Grant the folder and everything below it.") var subtree = false
        @Option(help: "End the grant after YYYY-MM-DD in UTC, or at YYYY-MM-DDTHH:MM:SSZ.")
        var until: String?
        @Option(help: "Record this reason with the grant.") var reason: String?
        @Flag(help: "Do not look up the folder on the server.") var noCheck = false
        @OptionGroup var confirmation: YesOption

        /// - Throws: `ValidationError` if the options name no right, or contradict each other.
        func validate() throws {
            let sets = [self.view, self.edit, self.manage, self.rights != nil].filter { $0 }.count
            guard sets <= 1 else {
                throw ValidationError("use only one of --view, --edit, --manage and --rights")
            }
            guard sets == 1 || self.send != nil else {
                throw ValidationError(
                    "no right is named: use --view, --edit, --manage, --rights or --send"
                )
            }
            if let letters = self.rights, Self.rights(letters) == nil {
                throw ValidationError(
                    "--rights \(letters): use letters of lrswipkxte; `a` belongs to the owner"
                )
            }
            guard !self.subtree || self.folder != nil else {
                throw ValidationError("--subtree needs --folder")
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
                print("\(self.account) has an owner: in effect when the owner has confirmed it")
            }
            let walls = try store.walls(barring: self.subject, from: self.account)
            for wall in walls {
                Output.line(
                    "note: a wall bars \(wall.subject) and overrides this grant: \(wall.reason)"
                )
            }
        }

        /// The folder rights that the options name; empty for a grant that only permits sending.
        private var namedRights: Rights {
            if self.view { return .view }
            if self.edit { return .edit }
            if self.manage { return .manage }
            return self.rights.flatMap(Self.rights) ?? []
        }

        /// Parses the letters of `--rights` (RFC 4314 §2.1).
        ///
        /// - Returns: nil for an unknown letter, or for `a` (administer), which cannot be granted.
        private static func rights(_ letters: String) -> Rights? {
            Rights(letters: letters).flatMap { $0.contains(.administer) ? nil : $0 }
        }

        /// Looks up the folder on the account's server: a grant on a missing folder has no effect.
        ///
        /// - Returns: the folder list of the server.
        /// - Throws: ``Failure`` if the server does not list the folder, or cannot be asked.
        private func lookUp(
            _ folder: FolderPath,
            store: PermissionStore
        ) async throws -> ProbeReport {
            let upstream = try store.upstream(self.account)
            let stored = StoredCredentials(try await self.configuration.load())
            if let found = await stored.suspension(of: upstream, service: .imap) {
                throw Failure(
                    "cannot look up the folder: \(found.explanation); use --no-check to grant without a "
                        + "lookup"
                )
            }
            let credential: UpstreamCredential
            do {
                credential = try await self.configuration.credential(of: upstream)
            } catch {
                throw Failure(
                    "cannot look up the folder: \(error); use --no-check to grant without a lookup"
                )
            }
            let report: ProbeReport
            do {
                report = try await stored.probe(upstream, service: .imap) { () throws(ProbeError) in
                    try await UpstreamProbe().probe(upstream, credential: credential)
                }
            } catch {
                throw Failure(
                    "cannot look up the folder: \(upstream.imap.host) \(error); use --no-check to grant "
                        + "without a lookup"
                )
            }
            guard !report.folders.contains(folder) else { return report }
            let near = report.folders.first {
                Self.fold($0.description) == Self.fold(folder.description)
            }
            let hint = near.map { "; \($0) exists, but is another folder" } ?? ""
            throw Failure(
                "\(self.account) has no folder \(folder)\(hint) "
                    + "(use --no-check to grant it before it exists)"
            )
        }

        /// Asks before a grant on a folder that shows messages of other folders, such as `\All` of
        /// RFC 6154: the grant reaches further than the folder's name says.
        ///
        /// - Throws: ``Failure`` without a confirmation.
        private func confirmCollections(_ report: ProbeReport, in scope: Scope) throws {
            let named = report.collections.filter { scope.covers($0.key) }
            guard let (folder, attribute) = named.min(by: { $0.key < $1.key }) else { return }
            try self.confirmation.confirm(
                "\(Output.printable(folder.description)) is marked \(attribute): it shows messages "
                    + "of all folders of \(self.account). Grant it"
            )
        }

        /// Folds names that look alike to a person, for the hint of a message only.
        private static func fold(_ text: String) -> String {
            text.precomposedStringWithCanonicalMapping.lowercased()
                .replacingOccurrences(of: ".", with: "/")
        }
    }
}
