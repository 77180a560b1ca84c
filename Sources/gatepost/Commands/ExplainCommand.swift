import Access
import ArgumentParser
import Store

/// `gatepost explain LOGIN ACCOUNT [--folder PATH]`: the verdict of the gateway, with its reasons.
///
/// It uses the same decision as the gateway (`Snapshot` in `Access`).
/// Pending and ended grants of the user are added as reasons, although they have no effect. The
/// command fails if the user or the account is unknown. `--json` prints an ``Answer``:
/// `{"user":"anna@kanzlei.example","account":"info@kanzlei.example","rights":"","send":"none",`
/// `"owner":false,"because":[{"kind":"grant","id":"1","subject":"anna@kanzlei.example",`
/// `"rights":"lrswite","send":"none","scope":"folder Akten and below","source":"local"}]}`.
struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Show every right of a user on an account, with its reason."
    )

    @OptionGroup var configuration: ConfigurationOption
    @OptionGroup var output: JSONOption
    @Argument(help: "The user's login.") var login: String
    @Argument(help: "The account's address.") var account: String
    @Option(help: "Explain this folder (default: the account as a whole).") var folder: String?

    /// The verdict: the JSON document of `explain --json`. A key without a value is absent.
    struct Answer: Encodable {
        /// One reason of the verdict.
        struct Because: Encodable {
            /// `grant`, `pending-grant`, `ended-grant`, `owner`, `wall`, `withdrawal`, `no-grant`,
            /// `unknown-user`, `unknown-account`, `disabled-user` or `disabled-account`.
            var kind: String
            /// The grant's number in the store.
            var id: String?
            /// The login or `group:NAME` that the rule names.
            var subject: String?
            /// The nested groups from the grant's subject to the user, if there are several.
            var path: [String]?
            /// Letters of RFC 4314 §2.1, for example `lr`.
            var rights: String?
            /// `none`, `as` or `on-behalf`.
            var send: String?
            /// `account`, `folder PATH` or `folder PATH and below`.
            var scope: String?
            /// `local` or `exchange`.
            var source: String?
            /// The Exchange group that the grant came through.
            var via: String?
            /// The reason of a wall.
            var reason: String?
        }

        /// The user's login.
        var user: String
        /// The account's address.
        var account: String
        /// The folder's path; nil for the account as a whole.
        var folder: String?
        /// The effective rights: letters of RFC 4314 §2.1; empty for none.
        var rights: String
        /// The effective send right: `none`, `as` or `on-behalf`.
        var send: String
        /// Whether the account belongs to the user.
        var owner: Bool
        /// The reasons of the verdict.
        var because: [Because]
    }

    func run() async throws {
        let store = try await self.configuration.openStore()
        let login = try PermissionStore.address(self.login)
        let address = try PermissionStore.address(self.account)
        let folder = try self.folder.map(PermissionStore.folder)
        let explanation = try store.explanation(of: login, account: address)
        let snapshot = explanation.snapshot
        guard let user = snapshot.user(login: login) else {
            throw Failure("no user \(login): see gatepost user list")
        }
        guard let account = snapshot.account(address: address) else {
            throw Failure("no account \(address): see gatepost account list")
        }
        let verdict = snapshot.verdict(
            user: user.id,
            account: account.id,
            folder: folder,
            at: .current
        )
        let answer = Answer(
            user: login.description,
            account: account.address.description,
            folder: folder?.description,
            rights: verdict.rights.letters,
            send: verdict.send.name,
            owner: verdict.isOwner,
            because: verdict.because.map { Self.because($0, snapshot: snapshot) }
                + Self.idle(explanation.grants)
        )
        if self.output.json { return try Output.json(answer) }
        Self.show(answer)
    }

    /// The grants to the user or to a group of the user that have ended or wait for confirmation.
    private static func idle(_ grants: [GrantRow]) -> [Answer.Because] {
        let now = Moment.current.seconds
        return grants.compactMap { grant in
            let hasEnded = grant.until.map { $0 <= now } ?? false
            guard hasEnded || !grant.confirmed else { return nil }
            return Answer.Because(
                kind: hasEnded ? "ended-grant" : "pending-grant",
                id: "\(grant.id)",
                subject: grant.subject,
                rights: grant.rights,
                send: grant.send,
                scope: grant.folder.map {
                    "folder \($0)\(grant.subtree ? " and below" : "")"
                } ?? Self.text(of: .account),
                source: grant.source
            )
        }
    }

    /// Converts a reason of the verdict into its printed form.
    private static func because(_ reason: Reason, snapshot: Snapshot) -> Answer.Because {
        switch reason {
        case .unknownUser: .init(kind: "unknown-user")
        case .unknownAccount: .init(kind: "unknown-account")
        case .disabledUser: .init(kind: "disabled-user")
        case .disabledAccount: .init(kind: "disabled-account")
        case .owner: .init(kind: "owner")
        case .nothing: .init(kind: "no-grant")
        case .wall(let wall):
            .init(kind: "wall", subject: snapshot.name(of: wall.subject), reason: wall.reason)
        case .withdrawal(let withdrawal):
            .init(
                kind: "withdrawal",
                subject: snapshot.name(of: withdrawal.subject),
                source: withdrawal.source.rawValue
            )
        case .grant(let grant, let path):
            .init(
                kind: "grant",
                id: "\(grant.id)",
                subject: snapshot.name(of: grant.subject),
                path: path.count > 1
                    ? path.compactMap { snapshot.name(of: .group($0)) } : nil,
                rights: grant.rights.letters,
                send: grant.send.name,
                scope: self.text(of: grant.scope),
                source: grant.source.rawValue,
                via: grant.via
            )
        }
    }

    /// The printed form of a grant's scope.
    private static func text(of scope: Scope) -> String {
        switch scope {
        case .account: "account"
        case .folder(let folder): "folder \(folder)"
        case .subtree(let folder): "folder \(folder) and below"
        }
    }

    /// Prints the verdict and its reasons as text.
    private static func show(_ answer: Answer) {
        let place = answer.folder.map { "folder \($0) of " } ?? ""
        Output.line("\(answer.user) on \(place)\(answer.account)")
        print("  may see it:       \(answer.rights.isEmpty ? "no" : "yes (\(answer.rights))")")
        print("  may send from it: \(answer.send == "none" ? "no" : answer.send)")
        print("because")
        for reason in answer.because { Output.line("  " + Self.sentence(reason)) }
    }

    /// Describes one reason in words, for example `grant 1 to anna@kanzlei.example: lrswite, folder
    /// Akten and below, local`.
    private static func sentence(_ reason: Answer.Because) -> String {
        switch reason.kind {
        case "owner": return "the account belongs to the user"
        case "no-grant": return "no grant reaches the user"
        case "disabled-user": return "the user is disabled"
        case "disabled-account": return "the account is disabled"
        case "wall":
            return "a wall bars \(reason.subject ?? "?"): \(Output.printable(reason.reason ?? ""))"
        case "withdrawal":
            return reason.source == "exchange"
                ? "Exchange denies it to \(reason.subject ?? "?")"
                : "it was withdrawn from \(reason.subject ?? "?")"
        case "grant":
            let groups = reason.path ?? reason.via.map { [Output.printable($0)] }
            let through = groups.map { " (through \($0.joined(separator: " → ")))" } ?? ""
            let rights = reason.rights.flatMap { $0.isEmpty ? nil : $0 } ?? "no folder rights"
            let send = reason.send == "none" ? "" : ", send \(reason.send ?? "")"
            return
                "grant \(reason.id ?? "?") to \(reason.subject ?? "?")\(through): \(rights)\(send), "
                + "\(reason.scope ?? ""), \(reason.source ?? "")"
        case "pending-grant":
            let whom = reason.source == "exchange" ? "an administrator (--everyone)" : "its owner"
            return "grant \(reason.id ?? "?") to \(reason.subject ?? "?") waits for \(whom)"
        case "ended-grant":
            return "grant \(reason.id ?? "?") to \(reason.subject ?? "?") has ended"
        default: return reason.kind
        }
    }
}
