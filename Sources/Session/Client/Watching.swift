import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The events that the client wants to receive, of any visible account (RFC 5465).
struct Watching {
    /// Octets of the paths of all folders with a subscription choice. A session keeps several
    /// copies of them as long as it watches, and a user may have 2,000 subscriptions of 2,000
    /// octets each.
    static let maximumOctets = 128 * 1_024

    /// The client's NOTIFY.
    var request: Notify
    /// The subscription choices that determine which folders are watched, once the store has sent
    /// them.
    private var choices = SubscriptionChoices()
    /// The folders that each group names, by the index of the group.
    private var named: [AccountID: [Int: [FolderPath]]] = [:]
    /// Names above whole accounts, each with a trailing delimiter, by the index of the group.
    private var above: [Int: Set<[UInt8]>] = [:]

    /// Resolves the names of the request.
    init(_ request: Notify, in namespace: Namespace) {
        self.request = request
        self.resolve(in: namespace)
    }

    /// Whether a group has the filter SUBSCRIBED.
    var needsSubscriptions: Bool {
        self.request.groups.contains { $0.filter == .subscribed }
    }

    /// Sets the choices that determine which folders are watched.
    ///
    /// - Returns: false if they exceed the limit of a session; then none are kept.
    mutating func setChoices(_ choices: SubscriptionChoices) -> Bool {
        let hasRoom = choices.octets <= Self.maximumOctets
        self.choices = hasRoom ? choices : SubscriptionChoices()
        return hasRoom
    }

    /// The folders of an account that the user has subscribed to, sorted.
    func subscribed(in account: AccountID) -> [FolderPath] {
        self.choices[account].subscribed
    }

    /// Whether events of a folder must be dropped because the user has unsubscribed from it. The
    /// server sends them because it was asked to watch all folders.
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

    /// Resolves the names of the request once for all accounts. Called when the namespace may have
    /// changed.
    mutating func resolve(in namespace: Namespace) {
        self.named = [:]
        self.above = [:]
        for (number, group) in self.request.groups.enumerated() {
            for name in group.filter.named.compactMap(\.name) {
                switch namespace.resolve(name) {
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

    /// Whether a group names something above a whole account: its root, `Other Users` or `Shared`.
    func isWhole(_ view: Namespace.View, in number: Int) -> Bool {
        guard !view.isPersonal, let above = self.above[number],
            let slash = view.prefix.firstIndex(of: Namespace.delimiter)
        else { return false }
        return above.contains(view.prefix) || above.contains(Array(view.prefix[...slash]))
    }
}
