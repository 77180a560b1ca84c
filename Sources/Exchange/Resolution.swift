package import Access

/// The conversion of Exchange's permissions into the gateway's: it finds the users behind the
/// names.
///
/// Nothing is guessed: a name of no user, or of several, is listed as unresolved and grants
/// nothing. If it may stand for a denial, the rights of groups are left out as well.
package struct Resolution {
    typealias Document = PermissionsDocument

    /// The deepest nesting of groups, and the most members: a directory must not take unbounded
    /// time.
    static let maximumDepth = 20
    static let maximumMembers = 50_000

    /// The users behind a principal.
    enum Outcome {
        /// No user: the entry is ignored.
        case nobody
        /// A recipient of the organization that is no user of the gateway.
        case stranger
        /// Every user.
        case everyone
        /// - Parameter group: the name of the group; nil if the principal is the user.
        case people(logins: [String], group: String?)
        /// Not identified, for this reason.
        case unresolved(String)
    }

    /// The list that a principal is in.
    enum Purpose {
        case fullAccess
        case sendAs
        case sendOnBehalf
        case folder
    }

    /// The organization's recipients.
    let directory: Directory
    /// The logins by address.
    let people: [String: [String]]
    /// The result so far.
    var imported = ImportedPermissions()
    /// The notes of the result so far.
    var notes: Set<String> = []

    private init(_ document: Document, people: [Person]) {
        self.directory = Directory(document.recipients, isWhole: document.hasWholeDirectory)
        var logins: [String: [String]] = [:]
        for person in people {
            for address in person.addresses {
                logins[Directory.folded(address), default: []].append(person.login)
            }
        }
        self.people = logins
    }

    /// Converts a mailbox's lists. The owner's entries are included: they take effect if the
    /// account gets another owner.
    package static func resolve(
        _ mailbox: PermissionsDocument.Mailbox,
        in document: PermissionsDocument,
        people: [Person]
    ) -> ImportedPermissions {
        var resolution = Resolution(document, people: people)
        resolution.addAccess(mailbox.fullAccess, purpose: .fullAccess)
        resolution.addAccess(mailbox.sendAs, purpose: .sendAs)
        resolution.addDelegates(mailbox.sendOnBehalf)
        resolution.addFolders(mailbox.folders)
        var imported = resolution.imported
        imported.entries = Array(Set(imported.entries)).sorted { "\($0)" < "\($1)" }
        imported.denials = imported.denials.sorted { $0.login < $1.login }
        imported.unresolved = Array(Set(imported.unresolved)).sorted { "\($0)" < "\($1)" }
        imported.notes = document.notes + document.unused(beside: mailbox)
        imported.notes += resolution.notes.sorted()
        return imported
    }
}
