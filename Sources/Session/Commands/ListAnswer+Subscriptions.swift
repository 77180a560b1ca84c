import Access
import IMAP

/// Subscribed names in the answer to LIST and LSUB.
extension ListAnswer {
    /// Inserts subscribed names without a visible folder. A name whose folder was deleted and a name whose folder the
    /// user may not see look the same to the client.
    ///
    /// - Parameter octets: the remaining work of this piece; decreased.
    func insertSubscriptions(in context: inout some CommandContext, octets: inout Int) {
        let subscriptions = self.subscriptions[self.subscription]
        let (account, folders) = (subscriptions.account, subscriptions.folders)
        if let view = context.namespace.view(of: account) {
            let base = context.subscriptionBase(of: view)
            let choices = self.choices[account]
            let counts =
                subscriptions.part != nil
                ? self.access(&context, account: account).isOwner : base != .own
            while counts, octets > 0, self.folder < folders.count {
                let folder = folders[self.folder]
                self.folder += 1
                octets -= Self.octetsOfName + folder.octets.count
                let name = context.namespace.name(of: folder, in: view)
                guard base == .own || choices[folder] ?? true, !self.tree.hasFolder(name),
                    !(view.isPersonal && Namespace.isReserved(name))
                else { continue }
                let isParent =
                    subscriptions.part.map {
                        Self.isParent(folder, part: $0, base: base, choices: choices)
                    } ?? false
                self.insertName(name, isParent: isParent, octets: &octets)
            }
            guard octets > 0 else { return }
        }
        self.subscription += 1
        self.folder = 0
    }

    /// Whether a listed folder is subscribed: by the user's own choice, else by the base.
    static func isSubscribed(
        _ folder: FolderPath,
        isSelectable: Bool,
        part: ListingPart,
        base: SubscriptionBase,
        choices: SubscriptionChoices.Account
    ) -> Bool {
        switch base {
        case .own: part.subscriptions.contains(folder)
        case .owner: choices[folder] ?? part.subscriptions.contains(folder)
        case .every: choices[folder] ?? isSelectable
        case .none: choices[folder] ?? false
        }
    }

    /// Whether LSUB returned the name with `\Noselect`: it counts as subscribed only if no name below it is
    /// subscribed.
    static func isParent(
        _ folder: FolderPath,
        part: ListingPart,
        base: SubscriptionBase,
        choices: SubscriptionChoices.Account
    ) -> Bool {
        switch base {
        case .own: part.subscriptions[folder] == false
        case .owner: choices[folder] == nil && part.subscriptions[folder] == false
        case .every, .none: false
        }
    }

    /// Inserts a name that has no folder.
    private func insertName(_ name: [UInt8], isParent: Bool, octets: inout Int) {
        let entry = FolderTree.Entry(
            name: name,
            attributes: [],
            rights: [],
            isSubscribed: true,
            isSubscribedAsParent: isParent,
            isParentOnly: true
        )
        self.insert(entry, octets: &octets)
    }
}
