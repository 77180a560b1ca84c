import Access
import IMAP

/// Resolves the mailbox that a client names, and the user's rights on it.
extension ClientSession {
    /// The user's rights on an account, from the present snapshot. The result is cached until the
    /// snapshot changes or a grant in it begins or ends.
    mutating func access(to account: AccountID) -> AccountAccess {
        if let known = self.accesses[account],
            known.validUntil.map({ self.now < $0 }) ?? true
        {
            return known
        }
        let access = self.snapshot.access(of: self.user, to: account, at: self.now)
        self.accesses[account] = access
        return access
    }

    /// A mailbox name, resolved to what the user may know about it.
    enum Resolved {
        case folder(AccountID, FolderPath, Rights)
        /// A namespace, or the root of an account: listed, but no mailbox.
        case root
        /// Not there, or hidden from the user. Both have the same answer.
        case nowhere
    }

    /// Resolves a mailbox name. Without `l` on the folder the name resolves to
    /// ``Resolved/nowhere``, so that an answer does not reveal whether the folder exists.
    mutating func resolve(_ mailbox: ClientMailbox) -> Resolved {
        guard let name = mailbox.name else { return .nowhere }
        switch self.namespace.resolve(name) {
        case .nowhere:
            return .nowhere
        case .root:
            return .root
        case .folder(let account, let folder):
            let rights = self.access(to: account).rights(in: folder)
            guard rights.contains(.lookup) else { return .nowhere }
            return .folder(account, folder, rights)
        }
    }

    /// The folder that a command names, if the user has the rights for it. The refusal is the same
    /// for a folder that does not exist and for one that the user may not see.
    mutating func require(
        _ rights: Rights,
        on mailbox: ClientMailbox
    ) -> Result<(AccountID, FolderPath, Rights), RefusedWith> {
        switch self.resolve(mailbox) {
        case .folder(let account, let folder, let held):
            guard held.contains(rights) else { return .failure(RefusedWith(.notPermitted)) }
            return .success((account, folder, held))
        case .root, .nowhere:
            return .failure(RefusedWith(.noSuchMailbox))
        }
    }

    /// The answer to a command that is refused.
    struct RefusedWith: Error {
        var text: ReplyText

        init(_ text: ReplyText) {
            self.text = text
        }
    }
}
