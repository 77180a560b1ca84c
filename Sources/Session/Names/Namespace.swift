package import Access
package import IMAP

/// The names one login sees: its own account as the personal namespace, the accounts shared with
/// it below `Other Users`, and function mailboxes below `Shared` (RFC 9051 §6.3.10).
package struct Namespace: Equatable, Sendable {
    package static let otherUsers = Array("Other Users".utf8)
    package static let shared = Array("Shared".utf8)
    package static let delimiter = UInt8(ascii: "/")

    /// One account in sight.
    package struct View: Equatable, Sendable {
        package var account: AccountID
        /// Octets before the folder's path, the last `/` included; empty for the personal one.
        package var prefix: [UInt8]

        package var isPersonal: Bool { self.prefix.isEmpty }
    }

    /// Where a name points.
    package enum Place: Equatable, Sendable {
        case folder(AccountID, FolderPath)
        /// `Other Users`, `Shared`, or the root of an account: listed, never opened.
        case root
        case nowhere
    }

    package let views: [View]
    // A login may have thousands of accounts in sight, and each command looks for some of them.
    private let places: [AccountID: Int]
    private let prefixes: [[UInt8]: Int]
    /// `Other Users` and `Shared`, where an account stands below.
    private let roots: Set<[UInt8]>

    package init(views: [View]) {
        self.views = views
        let numbered = views.enumerated()
        self.places = Dictionary(numbered.map { ($1.account, $0) }) { first, _ in first }
        self.prefixes = Dictionary(numbered.map { ($1.prefix, $0) }) { first, _ in first }
        self.roots = Set(views.map { Array($0.prefix.prefix { $0 != Self.delimiter }) })
    }

    package static func == (one: Namespace, other: Namespace) -> Bool { one.views == other.views }

    package var personal: AccountID? { self.prefixes[[]].map { self.views[$0].account } }

    package func view(of account: AccountID) -> View? {
        self.places[account].map { self.views[$0] }
    }

    /// Where a client's name points. The first component decides: `Other Users` and `Shared`
    /// never name a folder of the personal account, even where its server has one so called.
    package func place(of name: MailboxName) -> Place {
        let octets = name.octets
        guard Self.isReserved(octets) else { return self.place(of: name, below: []) }
        // The prefix of an account has two components, and addresses have no delimiter.
        let delimiters = octets.indices.filter { octets[$0] == Self.delimiter }.prefix(2)
        switch delimiters.count {
        case 0:
            return self.roots.contains(octets) ? .root : .nowhere
        case 1:
            return self.prefixes[octets + [Self.delimiter]] == nil ? .nowhere : .root
        default:
            return self.place(of: name, below: Array(octets[...delimiters[1]]))
        }
    }

    private func place(of name: MailboxName, below prefix: [UInt8]) -> Place {
        guard let index = self.prefixes[prefix] else { return .nowhere }
        let view = self.views[index]
        return self.folder(name, in: view).map { .folder(view.account, $0) } ?? .nowhere
    }

    /// The folder of an account in sight that a client's name points to; nil where it points elsewhere.
    package func folder(_ name: MailboxName, in view: View) -> FolderPath? {
        guard Self.isReserved(name.octets) != view.isPersonal,
            name.octets.starts(with: view.prefix)
        else { return nil }
        return FolderPath(octets: Array(name.octets.dropFirst(view.prefix.count)))
    }

    /// The client's name, in decoded octets, of a folder of an account in sight.
    package func name(of folder: FolderPath, in view: View) -> [UInt8] {
        view.prefix + folder.octets
    }

    /// Whether a name is `Other Users` or `Shared` itself.
    static func isRoot(_ name: [UInt8]) -> Bool {
        name == Self.otherUsers || name == Self.shared
    }

    /// Whether the first component belongs to the gateway.
    package static func isReserved(_ name: [UInt8]) -> Bool {
        let first = name.prefix { $0 != Self.delimiter }
        return first.elementsEqual(Self.otherUsers) || first.elementsEqual(Self.shared)
    }
}
