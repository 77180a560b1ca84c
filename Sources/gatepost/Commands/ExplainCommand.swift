import Access
import ArgumentParser
import Store

/// `gatepost explain LOGIN ACCOUNT [--folder PATH]`
struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Explain every right of a user."
    )

    @OptionGroup var configuration: ConfigurationOption
    @OptionGroup var output: JSONOption
    @Argument var login: String
    @Argument var account: String
    @Option(help: "One folder; the account as a whole by default.") var folder: String?

    /// A verdict, as it is printed.
    struct Answer: Encodable {
        /// One reason for it.
        struct Because: Encodable {
            var kind: String
            var id: String?
            var subject: String?
            var path: [String]?
            var rights: String?
            var send: String?
            var scope: String?
            var source: String?
            var via: String?
            var reason: String?
        }

        var user: String
        var account: String
        var folder: String?
        var rights: String
        var send: String
        var owner: Bool
        var because: [Because]
    }

    func run() async throws {
        let store = try await self.configuration.openStore()
        let login = try PermissionStore.address(self.login)
        let address = try PermissionStore.address(self.account)
        let folder = try self.folder.map(PermissionStore.folder)
        let snapshot = try store.load().access
        guard let user = snapshot.user(login: login) else {
            throw Failure("no user \(login): gatepost user list")
        }
        guard let account = snapshot.account(address: address) else {
            throw Failure("no account \(address): gatepost account list")
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
                + (try Self.idle(
                    store,
                    snapshot: snapshot,
                    user: user.id,
                    account: address.description
                ))
        )
        if self.output.json { return try Output.json(answer) }
        Self.show(answer)
    }

    /// Grants to the user, or to a group of the user's, that count for nothing now.
    private static func idle(
        _ store: PermissionStore,
        snapshot: Access.Snapshot,
        user: UserID,
        account: String
    ) throws -> [Answer.Because] {
        let names = Set(snapshot.names(of: user).map(ExactText.init))
        let now = Moment.current.seconds
        return try store.grants(account: account, subject: nil).compactMap { grant in
            let hasEnded = grant.until.map { $0 <= now } ?? false
            guard names.contains(ExactText(grant.subject)), hasEnded || !grant.confirmed else {
                return nil
            }
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

    private static func text(of scope: Scope) -> String {
        switch scope {
        case .account: "account"
        case .folder(let folder): "folder \(folder)"
        case .subtree(let folder): "folder \(folder) and below"
        }
    }

    private static func show(_ answer: Answer) {
        let place = answer.folder.map { "folder \($0) of " } ?? ""
        Output.line("\(answer.user) on \(place)\(answer.account)")
        print("  may see it:       \(answer.rights.isEmpty ? "no" : "yes (\(answer.rights))")")
        print("  may send from it: \(answer.send == "none" ? "no" : answer.send)")
        print("because")
        for reason in answer.because { Output.line("  " + Self.sentence(reason)) }
    }

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
