import Access
import IMAP

import struct NIOCore.ByteBuffer

/// What the client wants to be told of by itself, of any account in sight (RFC 5465).
struct Watching {
    /// Octets of the paths of all folders together whose subscription the user decided about. A session keeps them
    /// in several forms as long as it watches, and a user may have 2,000 subscriptions of 2,000 octets each.
    static let maximumOctets = 128 * 1_024

    var request: Notify
    /// What of the user's decisions says which folders are watched, once they are read from the store.
    private var choices = SubscriptionChoices()
    /// The folders that each group names, by the group's number.
    private var named: [AccountID: [Int: [FolderPath]]] = [:]
    /// Names above whole accounts, each with a delimiter behind it, by the group's number.
    private var above: [Int: Set<[UInt8]>] = [:]

    init(_ request: Notify, in namespace: Namespace) {
        self.request = request
        self.resolve(in: namespace)
    }

    var needsSubscriptions: Bool {
        self.request.groups.contains { $0.filter == .subscribed }
    }

    /// - Parameter choices: those that say which folders are watched.
    /// - Returns: false where they are more than a session may keep; then none are kept.
    mutating func setChoices(_ choices: SubscriptionChoices) -> Bool {
        let hasRoom = choices.octets <= Self.maximumOctets
        self.choices = hasRoom ? choices : SubscriptionChoices()
        return hasRoom
    }

    /// The folders of an account that the user subscribed to, sorted.
    func subscribed(in account: AccountID) -> [FolderPath] {
        self.choices[account].subscribed
    }

    /// Whether a folder is none of those watched because the user unsubscribed from it. Its server tells of it
    /// nevertheless, because it was asked to watch all of them.
    func isUnsubscribed(_ folder: FolderPath, in view: Namespace.View) -> Bool {
        guard self.choices[view.account][folder] == false else { return false }
        return !self.request.groups.indices.contains { number in
            switch self.request.groups[number].filter {
            case .selected, .selectedDelayed, .subscribed: false
            case .inboxes, .personal: view.isPersonal
            case .subtree, .mailboxes:
                self.isWhole(view, in: number)
                    || !self.folders(named: number, in: view.account).isEmpty
            }
        }
    }

    /// Works out which account each name lies in: once for all accounts, when these may have changed.
    mutating func resolve(in namespace: Namespace) {
        self.named = [:]
        self.above = [:]
        for (number, group) in self.request.groups.enumerated() {
            for name in group.filter.named.compactMap(\.name) {
                switch namespace.place(of: name) {
                case .folder(let account, let folder):
                    self.named[account, default: [:]][number, default: []].append(folder)
                case .root:
                    self.above[number, default: []].insert(name.octets + [Namespace.delimiter])
                case .nowhere:
                    break
                }
            }
        }
    }

    /// The folders of an account that a group names.
    func folders(named number: Int, in account: AccountID) -> [FolderPath] {
        self.named[account]?[number] ?? []
    }

    /// Whether a group names something that stands above a whole account.
    func isWhole(_ view: Namespace.View, in number: Int) -> Bool {
        guard !view.isPersonal, let above = self.above[number],
            let slash = view.prefix.firstIndex(of: Namespace.delimiter)
        else { return false }
        return above.contains(view.prefix) || above.contains(Array(view.prefix[...slash]))
    }
}
