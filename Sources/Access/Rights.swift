/// Folder rights (RFC 4314 §2.1).
package struct Rights: OptionSet, Hashable, Sendable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// `l`: the folder is listed.
    package static let lookup = Rights(rawValue: 1)
    /// `r`: SELECT, STATUS, FETCH, SEARCH, COPY from it.
    package static let read = Rights(rawValue: 2)
    /// `s`: `\Seen` is kept.
    package static let seen = Rights(rawValue: 4)
    /// `w`: flags other than `\Seen` and `\Deleted`.
    package static let write = Rights(rawValue: 8)
    /// `i`: APPEND, COPY into it.
    package static let insert = Rights(rawValue: 16)
    /// `p`: posting to the folder's address; not enforced by IMAP.
    package static let post = Rights(rawValue: 32)
    /// `k`: CREATE below it.
    package static let createMailbox = Rights(rawValue: 64)
    /// `x`: DELETE, RENAME of it.
    package static let deleteMailbox = Rights(rawValue: 128)
    /// `t`: `\Deleted`.
    package static let deleteMessages = Rights(rawValue: 256)
    /// `e`: EXPUNGE.
    package static let expunge = Rights(rawValue: 512)
    /// `a`: SETACL, DELETEACL, GETACL, LISTRIGHTS.
    package static let administer = Rights(rawValue: 1_024)

    package static let view: Rights = [.lookup, .read]
    package static let edit: Rights = [
        .lookup, .read, .seen, .write, .insert, .deleteMessages, .expunge,
    ]
    package static let manage: Rights = [.edit, .post, .createMailbox, .deleteMailbox]
    package static let all: Rights = [.manage, .administer]

    /// Letters in the order of RFC 4314, each with its right.
    private static let table: [(UInt8, Rights)] = [
        (UInt8(ascii: "l"), .lookup), (UInt8(ascii: "r"), .read), (UInt8(ascii: "s"), .seen),
        (UInt8(ascii: "w"), .write), (UInt8(ascii: "i"), .insert), (UInt8(ascii: "p"), .post),
        (UInt8(ascii: "k"), .createMailbox), (UInt8(ascii: "x"), .deleteMailbox),
        (UInt8(ascii: "t"), .deleteMessages), (UInt8(ascii: "e"), .expunge),
        (UInt8(ascii: "a"), .administer),
    ]

    /// - Returns: nil when a letter is none of `lrswipkxtea`.
    package init?(letters: String) {
        var rights: Rights = []
        for letter in letters.utf8 {
            guard let (_, right) = Self.table.first(where: { $0.0 == letter }) else { return nil }
            rights.formUnion(right)
        }
        self = rights
    }

    /// The letters in the order of RFC 4314.
    package var letters: String {
        String(
            decoding: Self.table.filter { self.contains($0.1) }.map(\.0),
            as: UTF8.self
        )
    }
}
