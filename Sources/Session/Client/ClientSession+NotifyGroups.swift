import Access
import IMAP

/// Translates the event groups of a NOTIFY for one server (RFC 5465 §5).
extension ClientSession {
    /// The mailboxes of one account that a group covers.
    enum Reach {
        /// A filter that the server evaluates itself.
        case filter(NotifyGroup.Filter)
        case subtree([FolderPath])
        case mailboxes([FolderPath])
        /// The folders that are subscribed at the server, which are the owner's choice, and these.
        case owners(and: [FolderPath])
    }

    /// The groups for one account's server, with the server's names. Events and attributes that the
    /// server or the user's rights do not support are removed.
    mutating func groups(for account: AccountID, names: UpstreamNames) -> [NotifyGroup] {
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
            // A mailbox name event is a LIST response. For every user except the owner, a folder
            // exists only if the answer to the gateway's LIST names it, so the server must not send
            // other LIST responses.
            if !isOwner { group.events.removeAll { $0 == .mailboxName } }
            group.attributes.removeAll { item in
                item.requiredCapability.map { !self.has($0, in: account) } ?? false
            }
            guard !group.events.isEmpty || requested.events.isEmpty else { return [] }
            var filters: [NotifyGroup.Filter] = []
            switch self.reach(of: number, watching: watching, in: view) {
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
        // The gateway polls such a server, and needs the list to find the mailboxes of a group.
        let isOwner = self.access(to: account).isOwner
        guard !isOwner || !self.has("NOTIFY", in: account), self.isWatched(account) else {
            return false
        }
        guard let list = self.upstreams[account]?.folders else { return true }
        // Look for missing names once, during the NOTIFY command.
        guard case .notifying = self.running,
            self.mayRefresh(list, of: account),
            let watching = self.watching, let view = self.namespace.view(of: account)
        else { return false }
        return watching.request.groups.indices.contains { number in
            switch self.reach(of: number, watching: watching, in: view) {
            case .subtree(let folders), .mailboxes(let folders), .owners(let folders):
                !folders.allSatisfy(list.containsParent)
            case .filter, nil:
                false
            }
        }
    }

    /// The mailboxes of one account that a group covers and that the user may know of.
    ///
    /// Never send a hidden mailbox name to a server: the response time would reveal whether it
    /// exists.
    ///
    /// - Parameter number: the index of the group in the request.
    /// - Returns: nil if there are none.
    mutating func reach(
        of number: Int,
        watching: Watching,
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

    /// The reach of a group of all subscribed folders. Events of folders that the user unsubscribed
    /// from are dropped when they arrive.
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

    /// A group of those folders that the user may look up; nil without any.
    private mutating func listed(_ folders: [FolderPath], in view: Namespace.View) -> Reach? {
        let listed = self.visible(folders, in: view)
        return listed.isEmpty ? nil : .mailboxes(listed)
    }

    /// Those of the folders on which the user has `l`.
    private mutating func visible(_ folders: [FolderPath], in view: Namespace.View) -> [FolderPath]
    {
        guard !folders.isEmpty else { return [] }
        let access = self.access(to: view.account)
        return folders.filter { access.rights(in: $0).contains(.lookup) }
    }
}
