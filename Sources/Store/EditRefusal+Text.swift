import Access

/// The edit that was refused, which decides the wording of the message.
enum RefusedEdit {
    /// A local grant is added or removed.
    case grant
    /// Rights on an Exchange account are withdrawn.
    case withdrawal
    /// A withdrawal is ended.
    case restoring
    /// A wall is added.
    case wall
    /// A member is added to a group of this name.
    case member(of: String)
    /// A user or a group is removed. The snapshot resolves account names for the message.
    case removal(Snapshot, isUser: Bool)
}

/// The message for each refusal of `Access`.
extension StoreError {
    /// Creates a refusal with a message that states the remedy.
    /// - Parameters:
    ///   - account: The account as the edit names it.
    ///   - subject: The subject as the edit names it.
    init(_ refusal: EditRefusal, of edit: RefusedEdit, account: String = "", subject: String = "") {
        self =
            switch refusal {
            case .grantsComeFrom(.exchange):
                .refused(
                    "\(account) is an Exchange account: its grants come from Exchange. Share the "
                        + "mailbox there, then: gatepost permissions load \(account)"
                )
            case .grantsComeFrom(.local):
                .refused(Self.local(edit, account: account, subject: subject))
            case .groupCycle:
                .refused(Self.cycle(edit, subject: subject))
            case .wallStands:
                .refused("a wall bars \(subject) from \(account) already: gatepost wall list")
            case .isOwner:
                .refused(Self.owner(edit, account: account, subject: subject))
            case .withdrawnAlready:
                .refused("the account is already withdrawn from \(subject)")
            case .nothingWithdrawn:
                .notFound(
                    "nothing of \(account) is withdrawn from \(subject): gatepost grant list "
                        + "--account \(account)"
                )
            case .keptOut(let accounts):
                .refused(Self.keptOut(edit, of: accounts, subject: subject))
            case .owns(let accounts):
                .refused(
                    "\(subject) owns \(Self.names(accounts, in: edit)): give each another owner "
                        + "with gatepost account set, or remove it"
                )
            }
    }

    /// The message for an edit that only an Exchange account allows.
    private static func local(_ edit: RefusedEdit, account: String, subject: String) -> String {
        if case .restoring = edit {
            return "\(account) is an IMAP account, where a removed grant is deleted: add it "
                + "again (gatepost grant add \(account) \(subject) …)"
        }
        return "\(account) is an IMAP account: its grants are set here (gatepost grant add)"
    }

    /// The message for a group that would contain itself.
    private static func cycle(_ edit: RefusedEdit, subject: String) -> String {
        guard case .member(let group) = edit else { return "a group cannot be inside itself" }
        return "\(subject) contains group:\(group) already: a group cannot be inside itself"
    }

    /// The message for a wall or a withdrawal against the account's owner.
    private static func owner(_ edit: RefusedEdit, account: String, subject: String) -> String {
        let why: String
        if case .wall = edit {
            why = "and a wall cannot bar an owner"
        } else {
            why = "and rights cannot be withdrawn from an owner"
        }
        return "\(account) belongs to \(subject), \(why): gatepost user disable \(subject)"
    }

    /// The message for the removal of a subject that a withdrawal or a wall keeps out.
    private static func keptOut(
        _ edit: RefusedEdit,
        of accounts: [AccountID],
        subject: String
    ) -> String {
        var isUser = false
        if case .removal(_, let removesUser) = edit { isUser = removesUser }
        return "\(subject) is kept out of \(self.names(accounts, in: edit)), and removing it "
            + "would end that: gatepost grant restore, or wall remove, ACCOUNT \(subject) first"
            + (isUser ? ", or gatepost user disable \(subject)" : "")
    }

    /// The primary addresses of accounts, separated by commas.
    private static func names(_ accounts: [AccountID], in edit: RefusedEdit) -> String {
        guard case .removal(let rules, _) = edit else { return "" }
        return accounts.compactMap { rules.accounts[$0]?.address.description }
            .joined(separator: ", ")
    }
}

/// The bridge from decisions of `Access` to errors of the store.
extension StoreTransaction {
    /// Evaluates a decision of `Access`.
    /// - Parameters:
    ///   - edit: The edit, for the message of a refusal.
    ///   - decision: Throws `EditRefusal` to refuse.
    /// - Throws: ``StoreError`` in place of the refusal.
    static func decide<Value>(
        _ edit: RefusedEdit,
        account: String = "",
        subject: String = "",
        by decision: () throws(EditRefusal) -> Value
    ) throws -> Value {
        do {
            return try decision()
        } catch {
            throw StoreError(error, of: edit, account: account, subject: subject)
        }
    }
}
