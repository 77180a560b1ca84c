import Access

/// The names that the folders of a mailbox have in IMAP.
struct FolderNames {
    enum Finding {
        case path(FolderPath)
        /// Holds no mail, or has no counterpart in IMAP as the root has none.
        case ignored
        case leftOut(String)
    }

    /// Types whose folders hold mail; a folder of unknown type may.
    static let mailTypes: Set<String> = [
        "inbox", "sentitems", "deleteditems", "drafts", "junkemail", "archive", "outbox",
        "user created",
    ]

    /// The inbox's name, where a type tells which folder it is.
    private let inbox: ExactText?
    private let isInboxKnown: Bool
    /// What cannot be told about the folders together.
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
            "which folder is the inbox is not known, because there is no FolderType: if it is one of "
                + "\(names.joined(separator: ", ")), its entries have no effect: export FolderType, "
                + "too, or use gatepost's script"
        ]
    }

    func find(_ folder: PermissionsDocument.Folder) -> Finding {
        if let type = folder.type?.lowercased(), !Self.mailTypes.contains(type) { return .ignored }
        guard let first = folder.path.first else { return .ignored }
        let shown = folder.path.joined(separator: "\\")
        if folder.type == nil, !self.isInboxKnown, InboxNames.contains(first) {
            return .leftOut(
                "\(shown) is left out, because it has no FolderType: \(first) is the inbox's name in "
                    + "some language, and in IMAP the inbox has another: export FolderType, too, or "
                    + "use gatepost's script"
            )
        }
        var components = folder.path
        // Octet for octet, as folders are compared everywhere.
        let isInbox = self.inbox == ExactText(first)
        if isInbox { components[0] = "INBOX" }
        // Another folder of that name cannot be told from the inbox in IMAP.
        let isOtherInbox = self.inbox != nil && !isInbox && first.lowercased() == "inbox"
        // A `/` inside a name, which Exchange writes as U+F8FF, would be a level in IMAP.
        let isLevel = components.contains { $0.contains("/") || $0.contains("\u{F8FF}") }
        guard !isLevel, !isOtherInbox,
            let path = FolderPath(octets: Array(components.joined(separator: "/").utf8))
        else { return .leftOut("\(shown) has no name in IMAP: left out") }
        return .path(path)
    }
}
