import Access

/// The IMAP names of a mailbox's folders.
struct FolderNames {
    /// The result of a lookup.
    enum Finding {
        case path(FolderPath)
        /// The folder holds no mail, or, like the root, has no counterpart in IMAP.
        case ignored
        /// The folder cannot be named; the text says why.
        case leftOut(String)
    }

    /// The types of folders that hold mail. A folder without a type may hold mail.
    static let mailTypes: Set<String> = [
        "inbox", "sentitems", "deleteditems", "drafts", "junkemail", "archive", "outbox",
        "user created",
    ]

    /// The name of the inbox in the mailbox's language, if a FolderType identifies it.
    private let inbox: ExactText?
    /// Whether the inbox is identified, by its type or its English name.
    private let isInboxKnown: Bool
    /// Problems that concern all folders together.
    let notes: [String]

    init(_ folders: [PermissionsDocument.Folder]) {
        let inbox = folders.first { $0.type?.lowercased() == "inbox" && $0.path.count == 1 }
        self.inbox = inbox?.path.first.map(ExactText.init)
        let isInboxKnown =
            inbox != nil || folders.contains { $0.path.first?.lowercased() == "inbox" }
        self.isInboxKnown = isInboxKnown
        let untyped = folders.filter { $0.type == nil }.compactMap(\.path.first)
        guard !isInboxKnown, !untyped.isEmpty else {
            self.notes = []
            return
        }
        let names = Set(untyped.map(ExactText.init)).sorted().prefix(5).map(\.text)
        self.notes = [
            "the inbox is unknown, because FolderType is missing: if it is one of "
                + "\(names.joined(separator: ", ")), its entries have no effect: export FolderType "
                + "too, or use gatepost's script"
        ]
    }

    /// Finds the IMAP name of a folder.
    func find(_ folder: PermissionsDocument.Folder) -> Finding {
        if let type = folder.type?.lowercased(), !Self.mailTypes.contains(type) { return .ignored }
        guard let first = folder.path.first else { return .ignored }
        let shown = folder.path.joined(separator: "\\")
        if folder.type == nil, !self.isInboxKnown, InboxNames.contains(first) {
            return .leftOut(
                "\(shown) is left out, because it has no FolderType: \(first) is the inbox's name in "
                    + "some language, but not in IMAP: export FolderType too, or use gatepost's "
                    + "script"
            )
        }
        var components = folder.path
        // Compare octets: Swift's String treats different spellings as equal.
        let isInbox = self.inbox == ExactText(first)
        if isInbox { components[0] = "INBOX" }
        // IMAP cannot distinguish another folder of this name from the inbox.
        let isOtherInbox = self.inbox != nil && !isInbox && first.lowercased() == "inbox"
        // Exchange writes a `/` in a name as U+F8FF. In IMAP it would separate two levels.
        let isLevel = components.contains { $0.contains("/") || $0.contains("\u{F8FF}") }
        guard !isLevel, !isOtherInbox,
            let path = FolderPath(octets: Array(components.joined(separator: "/").utf8))
        else { return .leftOut("\(shown) has no name in IMAP: left out") }
        return .path(path)
    }
}
