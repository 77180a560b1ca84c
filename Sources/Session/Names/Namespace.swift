package import Access
package import IMAP

/// The names that one user sees: the user's own account as the personal namespace, accounts of
/// others below `Other Users`, and accounts without an owner below `Shared` (RFC 9051 §6.3.10).
package struct Namespace: Equatable, Sendable {
    package static let otherUsers = Array("Other Users".utf8)
    package static let shared = Array("Shared".utf8)
    /// The hierarchy delimiter of all names that clients see.
    package static let delimiter = UInt8(ascii: "/")

    /// A visible account.
    package struct View: Equatable, Sendable {
        package var account: AccountID
        /// Octets before the folder's path, including the last `/`; empty for the personal account.
        package var prefix: [UInt8]

        /// Whether the account is the personal namespace.
        package var isPersonal: Bool { self.prefix.isEmpty }
    }

    /// The meaning of a client's mailbox name.
    package enum Resolution: Equatable, Sendable {
        case folder(AccountID, FolderPath)
        /// `Other Users`, `Shared`, or the root of an account: listed, but no mailbox.
        case root
        /// In no visible account.
        case nowhere
    }

    /// The visible accounts; the personal one, if any, comes first.
    package let views: [View]
    // A user may see thousands of accounts, and every command looks for one of them.
    private let indices: [AccountID: Int]
    private let prefixes: [[UInt8]: Int]
    /// The first components of the visible accounts' names.
    private let roots: Set<[UInt8]>

    /// - Parameter views: the visible accounts, each once.
    package init(views: [View]) {
        self.views = views
        let numbered = views.enumerated()
        self.indices = Dictionary(numbered.map { ($1.account, $0) }) { first, _ in first }
        self.prefixes = Dictionary(numbered.map { ($1.prefix, $0) }) { first, _ in first }
        self.roots = Set(views.map { Array($0.prefix.prefix { $0 != Self.delimiter }) })
    }

    package static func == (one: Namespace, other: Namespace) -> Bool { one.views == other.views }

    /// The account of the personal namespace.
    package var personal: AccountID? { self.prefixes[[]].map { self.views[$0].account } }

    /// The view of an account; nil if the user does not see it.
    package func view(of account: AccountID) -> View? {
        self.indices[account].map { self.views[$0] }
    }

    /// Resolves a client's mailbox name. The first component decides: `Other Users` and `Shared`
    /// never name a folder of the personal account, even if its server has a folder of that name.
    package func resolve(_ name: MailboxName) -> Resolution {
        let octets = name.octets
        guard Self.isReserved(octets) else { return self.resolve(name, below: []) }
        // An account's prefix has two components, because an address contains no delimiter.
        let delimiters = octets.indices.filter { octets[$0] == Self.delimiter }.prefix(2)
        switch delimiters.count {
        case 0:
            return self.roots.contains(octets) ? .root : .nowhere
        case 1:
            return self.prefixes[octets + [Self.delimiter]] == nil ? .nowhere : .root
        default:
            return self.resolve(name, below: Array(octets[...delimiters[1]]))
        }
    }

    /// Resolves a name below an account's prefix.
    private func resolve(_ name: MailboxName, below prefix: [UInt8]) -> Resolution {
        guard let index = self.prefixes[prefix] else { return .nowhere }
        let view = self.views[index]
        return self.folder(name, in: view).map { .folder(view.account, $0) } ?? .nowhere
    }

    /// The folder of a visible account that a client's name means; nil if it means another account.
    package func folder(_ name: MailboxName, in view: View) -> FolderPath? {
        guard Self.isReserved(name.octets) != view.isPersonal,
            name.octets.starts(with: view.prefix)
        else { return nil }
        return FolderPath(octets: Array(name.octets.dropFirst(view.prefix.count)))
    }

    /// The client's name of a folder, in decoded octets.
    package func name(of folder: FolderPath, in view: View) -> [UInt8] {
        view.prefix + folder.octets
    }

    /// Whether a name is `Other Users` or `Shared` itself.
    static func isRoot(_ name: [UInt8]) -> Bool {
        name == Self.otherUsers || name == Self.shared
    }

    /// Whether the first component of a name is `Other Users` or `Shared`.
    package static func isReserved(_ name: [UInt8]) -> Bool {
        let first = name.prefix { $0 != Self.delimiter }
        return first.elementsEqual(Self.otherUsers) || first.elementsEqual(Self.shared)
    }
}
