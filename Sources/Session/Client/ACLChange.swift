package import Access

/// What an owner changes of who may do what in a folder, from a mail client (RFC 4314 §3.1).
package struct ACLChange: Equatable, Sendable {
    package enum Kind: String, Sendable {
        case replace
        case add
        case remove
    }

    package enum Outcome: Equatable, Sendable {
        case done
        /// Nobody is called so, or it is nobody to whom something can be granted.
        case unknownIdentifier
        /// A grant for more than this folder gives what should go.
        case grantedElsewhere
        /// There is no room for another grant.
        case tooMany
        case failed
    }

    package var owner: UserID
    package var account: AccountID
    package var folder: FolderPath
    /// A login, or `group:NAME`, as the client sent it.
    package var identifier: [UInt8]
    package var kind: Kind
    package var rights: Rights
}

extension Rights {
    /// Letters as SETACL has them: those of RFC 4314, and the two of RFC 2086 that stand for several
    /// of them (RFC 4314 §2.1.1).
    init?(aclLetters letters: String) {
        let current = letters.replacing("c", with: "k").replacing("d", with: "xte")
        self.init(letters: current)
    }
}
