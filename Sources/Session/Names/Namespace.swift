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

    package private(set) var views: [View]

    package init(views: [View]) {
        self.views = views
    }

    package var personal: AccountID? { self.views.first(where: \.isPersonal)?.account }

    package func view(of account: AccountID) -> View? {
        self.views.first { $0.account == account }
    }

    /// Where a client's name points. The first component decides: `Other Users` and `Shared`
    /// never name a folder of the personal account, even where its server has one so called.
    package func place(of name: MailboxName) -> Place {
        let octets = name.octets
        let isReserved = Self.isReserved(octets)
        for view in self.views where view.isPersonal != isReserved {
            if octets.starts(with: view.prefix) {
                return self.folder(name, in: view).map { .folder(view.account, $0) } ?? .nowhere
            }
            if view.prefix.starts(with: octets), view.prefix[octets.count] == Self.delimiter {
                return .root
            }
        }
        return .nowhere
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

    /// Whether the first component belongs to the gateway.
    package static func isReserved(_ name: [UInt8]) -> Bool {
        let first = name.prefix { $0 != Self.delimiter }
        return first.elementsEqual(Self.otherUsers) || first.elementsEqual(Self.shared)
    }
}
