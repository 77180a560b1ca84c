import Access
import IMAP

/// The event groups of a NOTIFY, translated for one server (RFC 5465 §5).
extension ClientSession {
    /// What a group means in one account.
    enum Reach {
        case filter(NotifyGroup.Filter)
        case subtree([FolderPath])
        case mailboxes([FolderPath])
        /// What the server says is subscribed, and these.
        case owners(and: [FolderPath])
    }

    /// The part of the request that one account's server can answer, with the server's names.
    mutating func groups(for account: AccountID, _ names: UpstreamNames) -> [NotifyGroup] {
        guard let watching = self.watching, let view = self.namespace.view(of: account) else {
            return []
        }
        let keepsSubscriptions = view.isPersonal && self.onlyAccount == nil
        let isOwner = self.access(to: account).isOwner
        let list = self.upstreams[account]?.folders
        func translated(_ folders: [FolderPath]) -> [ClientMailbox] {
            folders.filter { folder in
                isOwner && !UpstreamNames.isEscaped(folder) || list?.containsParent(folder) ?? false
            }
            .compactMap { names.name(of: $0) }.map(ClientMailbox.init(wire:))
        }
        return watching.request.groups.enumerated().flatMap { number, requested -> [NotifyGroup] in
            var group = requested
            if !keepsSubscriptions { group.events.removeAll { $0 == .subscriptionChange } }
            // News of names comes as LIST responses. For others than the owner a folder exists only if
            // the answer to LIST names it: nothing that looks like that answer may be asked for.
            if !isOwner { group.events.removeAll { $0 == .mailboxName } }
            group.attributes.removeAll { item in
                item.requiredCapability.map { !self.has($0, in: account) } ?? false
            }
            guard !group.events.isEmpty || requested.events.isEmpty else { return [] }
            var filters: [NotifyGroup.Filter] = []
            switch self.reach(of: number, watching, in: view) {
            case .filter(let filter): filters = [filter]
            case .subtree(let folders): filters = [.subtree(translated(folders))]
            case .mailboxes(let folders): filters = [.mailboxes(translated(folders))]
            case .owners(let more): filters = [.subscribed, .mailboxes(translated(more))]
            case nil: break
            }
            return filters.filter { $0 != .subtree([]) && $0 != .mailboxes([]) }.map { filter in
                group.filter = filter
                return group
            }
        }
    }

    /// Whether the server has to list its folders before it is asked to watch some of them.
    mutating func needsFolders(of account: AccountID) -> Bool {
        // Without NOTIFY, the owner's server does not work out by itself what lies in a subtree.
        let isOwner = self.access(to: account).isOwner
        guard !isOwner || !self.has("NOTIFY", in: account), self.isWatched(account) else {
            return false
        }
        guard let list = self.upstreams[account]?.folders else { return true }
        // Names that stay missing are looked for once.
        guard case .notifying = self.running,
            self.mayRefresh(list, of: account),
            let watching = self.watching, let view = self.namespace.view(of: account)
        else { return false }
        return watching.request.groups.indices.contains { number in
            switch self.reach(of: number, watching, in: view) {
            case .subtree(let folders), .mailboxes(let folders), .owners(let folders):
                !folders.allSatisfy(list.containsParent)
            case .filter, nil:
                false
            }
        }
    }

    /// Never send a hidden mailbox name to a server: the time it takes would reveal that the mailbox
    /// exists.
    /// - Parameter number: of the group.
    /// - Returns: nil where it means nothing that the user may know of.
    mutating func reach(
        of number: Int,
        _ watching: Watching,
        in view: Namespace.View
    ) -> Reach? {
        let filter = watching.request.groups[number].filter
        switch filter {
        case .selected, .selectedDelayed:
            return .filter(filter)
        case .inboxes, .personal:
            return view.isPersonal ? .filter(filter) : nil
        case .subscribed:
            return self.reachSubscribed(watching.subscribed(in: view.account), in: view)
        case .subtree:
            if watching.isWhole(view, in: number) { return .filter(.personal) }
            let folders = watching.folders(named: number, in: view.account)
            guard !folders.isEmpty else { return nil }
            let inside = folders.filter(self.access(to: view.account).isVisible(from:))
            return inside.isEmpty ? nil : .subtree(inside)
        case .mailboxes:
            return self.listed(watching.folders(named: number, in: view.account), in: view)
        }
    }

    /// What a group of all subscribed folders means in an account; news of folders that the user unsubscribed from
    /// is dropped when it comes.
    private mutating func reachSubscribed(
        _ subscribed: [FolderPath],
        in view: Namespace.View
    ) -> Reach? {
        switch self.subscriptionBase(of: view) {
        case .own: .filter(.subscribed)
        case .owner: .owners(and: self.visible(subscribed, in: view))
        case .every: .filter(.personal)
        case .none: self.listed(subscribed, in: view)
        }
    }

    /// Those of some folders that are listed for the user.
    private mutating func listed(_ folders: [FolderPath], in view: Namespace.View) -> Reach? {
        let listed = self.visible(folders, in: view)
        return listed.isEmpty ? nil : .mailboxes(listed)
    }

    private mutating func visible(_ folders: [FolderPath], in view: Namespace.View) -> [FolderPath]
    {
        guard !folders.isEmpty else { return [] }
        let access = self.access(to: view.account)
        return folders.filter { access.rights(in: $0).contains(.lookup) }
    }
}
