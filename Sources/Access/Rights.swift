/// The rights on a folder: a set of letters (RFC 4314 §2.1).
package struct Rights: OptionSet, Hashable, Sendable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// `l`: LIST and LSUB return the folder.
    package static let lookup = Rights(rawValue: 1)
    /// `r`: SELECT, STATUS, FETCH, SEARCH, and COPY from the folder.
    package static let read = Rights(rawValue: 2)
    /// `s`: changes of `\Seen`.
    package static let seen = Rights(rawValue: 4)
    /// `w`: changes of flags other than `\Seen` and `\Deleted`.
    package static let write = Rights(rawValue: 8)
    /// `i`: APPEND, and COPY into the folder.
    package static let insert = Rights(rawValue: 16)
    /// `p`: mail to the folder's submission address; IMAP does not enforce it.
    package static let post = Rights(rawValue: 32)
    /// `k`: CREATE of folders below it, and RENAME to there.
    package static let createMailbox = Rights(rawValue: 64)
    /// `x`: DELETE and RENAME of the folder.
    package static let deleteMailbox = Rights(rawValue: 128)
    /// `t`: changes of `\Deleted`.
    package static let deleteMessages = Rights(rawValue: 256)
    /// `e`: EXPUNGE, also by CLOSE.
    package static let expunge = Rights(rawValue: 512)
    /// `a`: SETACL, DELETEACL, GETACL, LISTRIGHTS.
    package static let administer = Rights(rawValue: 1_024)

    /// `lr`: the rights of `--view`, without which a folder cannot be opened.
    package static let view: Rights = [.lookup, .read]
    /// `lrswite`: the rights of `--edit`.
    package static let edit: Rights = [
        .lookup, .read, .seen, .write, .insert, .deleteMessages, .expunge,
    ]
    /// `lrswipkxte`: the rights of `--manage`.
    package static let manage: Rights = [.edit, .post, .createMailbox, .deleteMailbox]
    /// The rights of the owner.
    package static let all: Rights = [.manage, .administer]

    /// The letters in the order of RFC 4314 §2.1.
    private static let table: [(UInt8, Rights)] = [
        (UInt8(ascii: "l"), .lookup), (UInt8(ascii: "r"), .read), (UInt8(ascii: "s"), .seen),
        (UInt8(ascii: "w"), .write), (UInt8(ascii: "i"), .insert), (UInt8(ascii: "p"), .post),
        (UInt8(ascii: "k"), .createMailbox), (UInt8(ascii: "x"), .deleteMailbox),
        (UInt8(ascii: "t"), .deleteMessages), (UInt8(ascii: "e"), .expunge),
        (UInt8(ascii: "a"), .administer),
    ]

    /// - Returns: nil if a character is not one of `lrswipkxtea`.
    package init?(letters: String) {
        var rights: Rights = []
        for letter in letters.utf8 {
            guard let (_, right) = Self.table.first(where: { $0.0 == letter }) else { return nil }
            rights.formUnion(right)
        }
        self = rights
    }

    /// The letters in the order of RFC 4314 §2.1, for example `lrs`.
    package var letters: String {
        String(
            decoding: Self.table.filter { self.contains($0.1) }.map(\.0),
            as: UTF8.self
        )
    }
}
