import Access
import Testing

@testable import Exchange

/// Exchange's roles and rights in the letters of RFC 4314, and the names of folders.
@Suite struct FolderRightsTests {
    /// Names in an entry, and the letters that they are; nil where one is unknown.
    static let names: [([String], String?)] = [
        ([], ""), (["None"], ""), (["Contributor"], "li"), (["Reviewer"], "lr"),
        (["NonEditingAuthor"], "lri"), (["Author"], "lri"), (["PublishingAuthor"], "lrik"),
        (["Editor"], "lrswite"), (["PublishingEditor"], "lrswikte"), (["Owner"], "lrswikxte"),
        (["AvailabilityOnly"], ""), (["LimitedDetails"], ""), (["FolderVisible"], "l"),
        (["ReadItems"], "r"), (["CreateItems"], "i"), (["CreateSubfolders"], "k"),
        (["EditAllItems"], "sw"), (["DeleteAllItems"], "te"), (["FolderOwner"], "lx"),
        (["EditOwnedItems", "DeleteOwnedItems", "FolderContact"], ""),
        (["ReadItems", "FolderVisible"], "lr"), (["EDITOR"], "lrswite"),
        (["editor", "foldervisible"], "lrswite"),
        (["Editor "], nil), (["Edit"], nil), (["Editor", "Wizard"], nil), ([""], nil),
        (["lr"], nil),
    ]

    @Test(arguments: names)
    func `each name is its letters, and an unknown one refuses all`(
        names: [String],
        letters: String?
    ) {
        #expect(FolderRights.rights(named: names)?.letters == letters)
    }

    @Test func `no role gives a, and full access gives what an owner of a folder has`() {
        for name in ["Owner", "PublishingEditor", "Editor", "FolderOwner"] {
            #expect(FolderRights.rights(named: [name])?.contains(.administer) == false)
        }
        #expect(FolderRights.fullAccess == FolderRights.rights(named: ["Owner"]))
    }

    // MARK: - Folders

    private typealias Folder = PermissionsDocument.Folder

    private static func folder(_ path: [String], _ type: String?) -> Folder {
        Folder(path: path, type: type, entries: [])
    }

    /// What a folder is in IMAP, beside an inbox of this name.
    private static func found(_ folder: Folder, inbox: String? = "Posteingang") -> String {
        let known = inbox.map { [self.folder([$0], "Inbox")] } ?? []
        switch FolderNames(known + [folder]).find(folder) {
        case .path(let path): return path.description
        case .ignored: return "ignored"
        case .leftOut(let why): return why.contains("no name in IMAP") ? "no name" : "no type"
        }
    }

    /// Components, type, and what that is.
    static let folders: [([String], String?, String)] = [
        (["Posteingang"], "Inbox", "INBOX"), (["Posteingang", "Neu"], "User Created", "INBOX/Neu"),
        (["Posteingang", "Neu"], nil, "INBOX/Neu"), (["Akten"], "User Created", "Akten"),
        (["Gesendet"], "SentItems", "Gesendet"), (["Papierkorb"], "DELETEDITEMS", "Papierkorb"),
        (["Kalender"], "Calendar", "ignored"), (["Kontakte"], "Contacts", "ignored"),
        (["Notizen"], "Notes", "ignored"), ([], "Root", "ignored"), ([], nil, "ignored"),
        (["Akten", "a/b"], "User Created", "no name"), (["a\u{F8FF}b"], "User Created", "no name"),
        (["Inbox"], "User Created", "no name"), (["INBOX", "x"], "User Created", "no name"),
        ([""], "User Created", "no name"), (["a\u{1}"], "User Created", "no name"),
        (["posteingang"], "User Created", "posteingang"),
        (["Caf\u{E9}"], "User Created", "Caf\u{E9}"),
    ]

    @Test(arguments: folders)
    func `a folder has its name in IMAP, or none`(path: [String], type: String?, expected: String) {
        #expect(Self.found(Self.folder(path, type)).utf8.elementsEqual(expected.utf8))
    }

    /// Without a type nobody knows which folder is the inbox.
    @Test(arguments: [
        ("Posteingang", "no type"), ("POSTEINGANG", "no type"),
        ("\u{53D7}\u{4FE1}\u{30C8}\u{30EC}\u{30A4}", "no type"),
        ("Indbakke", "no type"), ("Akten", "Akten"), ("Inbox", "INBOX"),
    ])
    func `an inbox of another language is left out where no type tells`(
        name: String,
        expected: String
    ) {
        #expect(Self.found(Self.folder([name], nil), inbox: nil) == expected)
        let notes = FolderNames([Self.folder([name], nil)]).notes
        #expect(notes.isEmpty == (name == "Inbox"))
    }
}
