/// A login or an e-mail address in the form that is compared: ASCII letters in lower case.
///
/// A local part that is not ASCII is compared by its octets; code that reads one from a person
/// normalises it to NFC first. A domain consists of A-labels (RFC 5890 §2.3.2.1).
package struct Address: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The longest address that fits a path of 256 octets (RFC 5321 §4.5.3.1.3).
    package static let maximumOctets = 254

    /// The UTF-8 octets, ASCII letters in lower case.
    package let octets: [UInt8]

    /// - Returns: nil if the octets cannot be a login: empty, too long, not UTF-8, with a control
    ///   character, a space, an invisible character or one of `/` `\` `*` `!` `%` `"`, or with a
    ///   domain that is not ASCII or has an empty label.
    package init?(_ octets: some Sequence<UInt8>) {
        let folded = octets.map { octet in
            octet >= UInt8(ascii: "A") && octet <= UInt8(ascii: "Z") ? octet + 0x20 : octet
        }
        guard !folded.isEmpty, folded.count <= Self.maximumOctets,
            folded.allSatisfy(Self.isAllowed),
            let text = String(validating: folded, as: UTF8.self),
            text.unicodeScalars.allSatisfy(Self.isVisible)
        else { return nil }
        if let at = folded.lastIndex(of: UInt8(ascii: "@")) {
            let labels = folded[(at + 1)...].split(
                separator: UInt8(ascii: "."),
                omittingEmptySubsequences: false
            )
            guard at > 0, folded[at...].allSatisfy({ $0 < 0x80 }),
                labels.allSatisfy({ !$0.isEmpty })
            else { return nil }
        }
        self.octets = folded
    }

    /// Whether a character is visible: direction marks and spaces make different logins look alike.
    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        guard !scalar.isASCII else { return true }
        return switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator: false
        default: true
        }
    }

    /// Whether an octet may be in a login. The others have a meaning in mailbox names or strings.
    private static func isAllowed(_ octet: UInt8) -> Bool {
        switch octet {
        case 0...0x20, 0x7F, UInt8(ascii: "/"), UInt8(ascii: "\\"), UInt8(ascii: "*"),
            UInt8(ascii: "!"), UInt8(ascii: "%"), UInt8(ascii: "\""):
            false
        default:
            true
        }
    }

    package var description: String { String(decoding: self.octets, as: UTF8.self) }

    package static func < (one: Address, other: Address) -> Bool {
        one.octets.lexicographicallyPrecedes(other.octets)
    }
}

/// The path of a folder in an account: UTF-8 octets with `/` between components, for example
/// `INBOX/Projekte`.
///
/// A first component `INBOX` is in upper case. Paths are compared by octets, without normalisation
/// or case folding: two names that look alike may be two folders on a server.
package struct FolderPath: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The longest path, in octets: a server that lists longer names could fill the memory.
    package static let maximumOctets = 2_048
    /// The most components. Servers allow about twenty, and a listing names every level.
    package static let maximumDepth = 32
    private static let delimiter = UInt8(ascii: "/")
    private static let inbox = Array("INBOX".utf8)

    /// The UTF-8 octets of the path.
    package let octets: [UInt8]

    /// - Returns: nil for an empty path or component, a control octet, text that is not UTF-8, or a
    ///   path beyond a limit.
    package init?(octets: [UInt8]) {
        guard !octets.isEmpty, octets.count <= Self.maximumOctets,
            !octets.contains(where: { $0 < 0x20 || $0 == 0x7F }),
            String(validating: octets, as: UTF8.self) != nil
        else { return nil }
        let components = octets.split(separator: Self.delimiter, omittingEmptySubsequences: false)
        guard !components.contains(where: \.isEmpty), let first = components.first,
            components.count <= Self.maximumDepth
        else { return nil }
        let upper = first.map { $0 >= 0x61 && $0 <= 0x7A ? $0 - 0x20 : $0 }
        self.octets = upper == Self.inbox ? Self.inbox + octets.dropFirst(first.count) : octets
    }

    /// Stores octets that are known to form a valid path.
    private init(checked octets: [UInt8]) {
        self.octets = octets
    }

    package var description: String { String(decoding: self.octets, as: UTF8.self) }

    /// Whether the path is `INBOX`.
    package var isInbox: Bool { self.octets == Self.inbox }

    /// Whether the path starts with `INBOX/`.
    package var isBelowInbox: Bool {
        self.octets.count > Self.inbox.count && self.octets.starts(with: Self.inbox)
            && self.octets[Self.inbox.count] == Self.delimiter
    }

    /// The parent folder; nil at the top level.
    package var parent: FolderPath? {
        self.octets.lastIndex(of: Self.delimiter).map {
            FolderPath(checked: Array(self.octets[..<$0]))
        }
    }

    /// Whether this path starts with `other` and a delimiter.
    package func isBelow(_ other: FolderPath) -> Bool {
        self.octets.count > other.octets.count && self.octets.starts(with: other.octets)
            && self.octets[other.octets.count] == Self.delimiter
    }

    package static func < (one: FolderPath, other: FolderPath) -> Bool {
        one.octets.lexicographicallyPrecedes(other.octets)
    }
}

/// The folders that a grant's rights hold in.
package enum Scope: Hashable, Sendable {
    /// Every folder of the account.
    case account
    /// One folder, without those below it.
    case folder(FolderPath)
    /// One folder and every folder below it.
    case subtree(FolderPath)

    /// Whether the scope contains a folder.
    package func covers(_ folder: FolderPath) -> Bool {
        switch self {
        case .account: true
        case .folder(let own): folder == own
        case .subtree(let root): folder == root || folder.isBelow(root)
        }
    }

    /// Whether the scope contains a folder and every existing and future folder below it.
    func coversAll(from folder: FolderPath) -> Bool {
        if case .folder = self { return false }
        return self.covers(folder)
    }

    /// Whether the scope contains a folder or any existing or future folder below it.
    func coversAny(from folder: FolderPath) -> Bool {
        switch self {
        case .account: true
        case .folder(let own), .subtree(let own): self.covers(folder) || own.isBelow(folder)
        }
    }
}

/// A time in whole seconds since 1970, UTC.
package struct Moment: Hashable, Comparable, Sendable {
    /// Seconds since 1970-01-01T00:00:00Z.
    package var seconds: Int64

    package init(seconds: Int64) {
        self.seconds = seconds
    }

    package static func < (one: Moment, other: Moment) -> Bool {
        one.seconds < other.seconds
    }
}

/// The right to send from an account; a stronger right includes the weaker ones.
package enum SendRight: Int, Comparable, Hashable, Sendable {
    /// The user may not send from it.
    case none
    /// The message's `Sender` field names the user (RFC 5322 §3.6.2).
    case onBehalf
    /// No field of the message names the user.
    case `as`

    package static func < (one: SendRight, other: SendRight) -> Bool {
        one.rawValue < other.rawValue
    }
}
