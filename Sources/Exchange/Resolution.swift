package import Access

/// Finds the gateway's users behind the names of Exchange, and says what each of them may do.
///
/// Nothing is guessed: a name that is nobody here, or more than one, is listed and gives nothing.
/// Where such a name may stand for a denial, what groups would give is left out as well.
package struct Resolution {
    typealias Document = PermissionsDocument

    /// How deep groups may lie in groups, and how many members are looked at.
    static let maximumDepth = 20
    static let maximumMembers = 50_000

    enum Outcome {
        case nobody
        /// Somebody in the organisation who is no user here.
        case stranger
        case everyone
        /// - Parameter group: the group's name; nil for the principal itself.
        case people(logins: [String], group: String?)
        case unresolved(String)
    }

    enum Purpose {
        case fullAccess
        case sendAs
        case sendOnBehalf
        case folder
    }

    let directory: Directory
    let people: [String: [String]]
    var imported = ImportedPermissions()
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

    /// What the mailbox's lists say, its owner's own entries with the others: they count when the
    /// account belongs to somebody else one day.
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
