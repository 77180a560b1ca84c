import Access
import Session
import Testing

/// The folder cache of a dialog, which stands for the lists of other sessions.
struct RememberedFolders {
    private var knowledge: [AccountID: FolderKnowledge] = [:]
    /// The requests and reports of the session.
    private var notes: [String] = []
    /// The list that the session cached last.
    var last: KnownFolders?

    /// `remembered bob current Akten Akten/Neu`
    mutating func add(_ words: [String], of account: AccountID) throws {
        var known = self.knowledge[account] ?? FolderKnowledge()
        switch words[2] {
        case "current": known.isCurrent = true
        case "aging": (known.isCurrent, known.isAging) = (true, true)
        case "failing": known.isFailing = true
        case "old": known.isAging = true
        default: Issue.record("cannot be read: \(words)")
        }
        if words.count > 3 {
            var folders = ListedFolders()
            for path in words.dropFirst(3) {
                folders.append(try #require(FolderPath(octets: Array(path.utf8))))
            }
            known.folders = KnownFolders(folders, aliases: OctetStringSet())
        }
        self.knowledge[account] = known
    }

    func knowledge(of keys: [FolderListKey]) -> [FolderListKey: FolderKnowledge] {
        var known: [FolderListKey: FolderKnowledge] = [:]
        for key in keys { known[key] = self.knowledge[key.account] }
        return known
    }

    mutating func keep(_ folders: KnownFolders, of account: String) {
        let paths = (0..<folders.folders.count).compactMap { folders.folders.path(at: $0) }
        self.note((["keep", account] + paths.map { "\($0)" }).joined(separator: " "))
    }

    /// The server is unavailable: the list that was cached last is returned.
    mutating func fail(_ account: AccountID) {
        var known = FolderKnowledge()
        known.folders = self.last
        known.isFailing = true
        self.knowledge[account] = known
    }

    mutating func note(_ text: String) {
        self.notes.append(text)
    }

    mutating func nextNote() -> String {
        self.notes.isEmpty ? "(nothing)" : self.notes.removeFirst()
    }
}
