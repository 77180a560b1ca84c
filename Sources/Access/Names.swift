/// A login or an e-mail address in the form in which it is compared: ASCII case folded.
///
/// Non-ASCII local parts are compared as their octets; whoever makes one from a person's input
/// brings it into NFC before. Domains are A-labels.
package struct Address: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// RFC 5321 §4.5.3.1.3 leaves 254 octets for an address.
    package static let maximumOctets = 254

    package let octets: [UInt8]

    /// - Returns: nil for what no login may be: empty, too long, not UTF-8, with `/`, `\`, `*`,
    ///   `!`, `%`, `"`, a control, a space or what takes no place in it (marks of direction, spaces of
    ///   no width), or with a domain that is not ASCII or has an empty label.
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

    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        guard !scalar.isASCII else { return true }
        return switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator: false
        default: true
        }
    }

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

/// A folder's path inside an account: decoded UTF-8 octets with `/` between components, and
/// `INBOX` in upper case where it is the first. Compared as octets: no normalisation and no case
/// folding, because two names that look alike are two folders on some server.
package struct FolderPath: Hashable, Comparable, Sendable, CustomStringConvertible {
    package static let maximumOctets = 2_048
    /// Levels: servers allow a dozen or two, and each costs a name of its own in a listing.
    package static let maximumDepth = 32
    private static let delimiter = UInt8(ascii: "/")
    private static let inbox = Array("INBOX".utf8)

    package let octets: [UInt8]

    /// - Returns: nil for an empty path, an empty component, a control octet, or what is not UTF-8.
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

    private init(checked octets: [UInt8]) {
        self.octets = octets
    }

    package var description: String { String(decoding: self.octets, as: UTF8.self) }

    package var isInbox: Bool { self.octets == Self.inbox }

    package var isBelowInbox: Bool {
        self.octets.count > Self.inbox.count && self.octets.starts(with: Self.inbox)
            && self.octets[Self.inbox.count] == Self.delimiter
    }

    /// The folder above, or nil at the top level.
    package var parent: FolderPath? {
        self.octets.lastIndex(of: Self.delimiter).map {
            FolderPath(checked: Array(self.octets[..<$0]))
        }
    }

    /// Whether this folder lies below `other`, at a delimiter.
    package func isBelow(_ other: FolderPath) -> Bool {
        self.octets.count > other.octets.count && self.octets.starts(with: other.octets)
            && self.octets[other.octets.count] == Self.delimiter
    }

    package static func < (one: FolderPath, other: FolderPath) -> Bool {
        one.octets.lexicographicallyPrecedes(other.octets)
    }
}

/// What a grant of folder rights reaches.
package enum Scope: Hashable, Sendable {
    case account
    case folder(FolderPath)
    /// A folder and everything below it.
    case subtree(FolderPath)

    package func covers(_ folder: FolderPath) -> Bool {
        switch self {
        case .account: true
        case .folder(let own): folder == own
        case .subtree(let root): folder == root || folder.isBelow(root)
        }
    }

    /// Whether a folder and everything that is or will be below it are covered.
    func coversAll(from folder: FolderPath) -> Bool {
        if case .folder = self { return false }
        return self.covers(folder)
    }

    /// Whether a folder, or anything that is or will be below it, is covered.
    func coversAny(from folder: FolderPath) -> Bool {
        switch self {
        case .account: true
        case .folder(let own), .subtree(let own): self.covers(folder) || own.isBelow(folder)
        }
    }
}

/// Seconds since 1970.
package struct Moment: Hashable, Comparable, Sendable {
    package var seconds: Int64

    package init(seconds: Int64) {
        self.seconds = seconds
    }

    package static func < (one: Moment, other: Moment) -> Bool {
        one.seconds < other.seconds
    }
}

/// How somebody may write in an account's name; the stronger one includes the weaker.
package enum SendRight: Int, Comparable, Hashable, Sendable {
    case none
    /// The message carries `Sender:` the user.
    case onBehalf
    /// Nothing in the message shows who sent it.
    case `as`

    package static func < (one: SendRight, other: SendRight) -> Bool {
        one.rawValue < other.rawValue
    }
}
