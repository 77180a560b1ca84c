import Foundation

/// The keys of a document's objects, and the search for one that this version does not know.
///
/// Ignoring a key would be unsafe: with a misspelt `scope`, a grant on one folder would become a
/// grant on the whole account.
enum DocumentKeys {
    /// The keys that this version applies, by the path of the object that contains them.
    ///
    /// The path has no indices: `.accounts.imap` is the object `imap` of each account.
    private static let known: [String: Set<String>] = [
        "": ["users", "groups", "accounts", "grants", "withdrawals", "walls"],
        ".users": ["login", "name", "role", "disabled", "osUser"],
        ".groups": ["name", "members"],
        ".accounts": [
            "address", "kind", "owner", "aliases", "imap", "smtp", "sentCopy",
            "sentCopyRequired", "username", "caFile",
        ],
        ".accounts.imap": ["host", "port", "tls"],
        ".accounts.smtp": ["host", "port", "tls"],
        ".grants": [
            "account", "subject", "rights", "send", "scope", "until", "source", "reason",
            "confirmed",
        ],
        ".grants.scope": ["folder", "subtree"],
        ".withdrawals": ["account", "subject", "view", "send"],
        ".walls": ["account", "subject", "reason"],
    ]

    /// Finds the first unknown key, in one pass without a tree of the document.
    /// - Parameter octets: JSON in UTF-8 (RFC 8259) that a decoder accepted.
    /// - Returns: the path of the key, such as `grants.scop`; nil if all keys are known.
    static func firstUnknown(in octets: Data) throws -> String? {
        try octets.withUnsafeBytes { octets in
            var scanner = KeyScanner(octets: octets)
            while let key = try scanner.next() {
                guard Self.known[scanner.path]?.contains(key) ?? false else {
                    return String("\(scanner.path).\(key)".dropFirst())
                }
                scanner.enter(key)
            }
            return nil
        }
    }
}

/// Reads the keys of JSON text, with the paths of their objects.
private struct KeyScanner {
    /// The text.
    let octets: UnsafeRawBufferPointer
    private var position = 0
    /// For each open object and array: whether it is an object, and its path.
    private var open: [(isObject: Bool, path: String)] = []
    /// The path of the value that follows.
    private var valuePath = ""

    init(octets: UnsafeRawBufferPointer) {
        self.octets = octets
    }

    /// The path of the object that the last key is in.
    var path: String { self.open.last?.path ?? "" }

    /// Notes that the value of a key follows.
    mutating func enter(_ key: String) {
        self.valuePath = "\(self.path).\(key)"
    }

    /// The next key; nil at the end.
    mutating func next() throws -> String? {
        // A text in an object is a key if a colon follows, which no text as a value has.
        while self.position < self.octets.count {
            let octet = self.octets[self.position]
            switch octet {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                let isElement = self.open.last.map { !$0.isObject } ?? false
                let path = isElement ? self.path : self.valuePath
                self.open.append((octet == UInt8(ascii: "{"), path))
            case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = self.open.popLast()
            case UInt8(ascii: "\""):
                let text = self.text()
                if self.isFollowedByColon { return try Self.decoded(text) }
                continue
            default: break
            }
            self.position += 1
        }
        return nil
    }

    /// The octets of a text between its quotation marks; the position is behind it then.
    private mutating func text() -> Slice<UnsafeRawBufferPointer> {
        let start = self.position + 1
        var end = start
        while end < self.octets.count, self.octets[end] != UInt8(ascii: "\"") {
            end += self.octets[end] == UInt8(ascii: "\\") ? 2 : 1
        }
        end = min(end, self.octets.count)
        self.position = end + 1
        return self.octets[start..<end]
    }

    private var isFollowedByColon: Bool {
        var position = self.position
        while position < self.octets.count {
            switch self.octets[position] {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"):
                position += 1
            case let octet: return octet == UInt8(ascii: ":")
            }
        }
        return false
    }

    /// The text of a key, which may have escapes.
    private static func decoded(_ text: Slice<UnsafeRawBufferPointer>) throws -> String {
        guard text.contains(UInt8(ascii: "\\")) else {
            return String(decoding: text, as: UTF8.self)
        }
        return try JSONDecoder().decode(String.self, from: Data([0x22] + Array(text) + [0x22]))
    }
}
