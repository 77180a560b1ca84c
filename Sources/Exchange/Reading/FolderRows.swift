import Access

/// The rows of `Get-MailboxFolderPermission` for one mailbox, grouped by folder.
///
/// A path separates components by `\`, which a folder's name may contain as well. Therefore
/// `Identity` is read together with `FolderName`, the last component.
struct FolderRows {
    private typealias Document = PermissionsDocument

    /// One row: a folder and one entry of its list.
    struct Row {
        /// The path of the folder: the part after the colon of `MAILBOX:\Folder\Sub`, or
        /// `FolderPath` with `/` between components, as in `Get-MailboxFolderStatistics`.
        var path: String
        /// `FolderName`.
        var name: String?
        /// `FolderType`.
        var type: String?
        var entry: PermissionsDocument.FolderEntry

        /// The path with `\` between components and none before the first.
        fileprivate var bare: String {
            self.path.hasPrefix("\\") ? String(self.path.dropFirst()) : self.path
        }

        /// The path in one spelling. Folders that the path cannot distinguish have the same key.
        fileprivate var key: ExactText {
            guard self.path.hasPrefix("/") else { return ExactText(self.bare) }
            return ExactText(self.path.dropFirst().split(separator: "/").joined(separator: "\\"))
        }
    }

    private var rows: [Row] = []

    mutating func add(_ row: Row) { self.rows.append(row) }

    /// The folders in the order of their first rows, and the reasons why others are left out.
    ///
    /// One ambiguous row leaves out all rows of its path: an entry may take rights from its user
    /// that another entry grants to everyone.
    func folders() -> (folders: [PermissionsDocument.Folder], notes: [String]) {
        var notes: [String] = []
        var doubtful: Set<ExactText> = []
        func leaveOut(_ row: Row, reason: String) {
            guard doubtful.insert(row.key).inserted else { return }
            notes.append("\(row.path): its entries are left out, because \(reason)")
        }
        for row in self.rows {
            if let reason = Self.doubt(row) { leaveOut(row, reason: reason) }
        }
        let parents = Self.parents(self.rows.filter { !doubtful.contains($0.key) })
        let paths = self.rows.map { row -> [String]? in
            guard !doubtful.contains(row.key) else { return nil }
            let path = Self.components(row, parents: parents)
            if path == nil {
                leaveOut(
                    row,
                    reason:
                        "a name in its path may contain a \\: also export the folders above it, or use "
                        + "gatepost's script"
                )
            }
            return path
        }
        var folders: [Document.Folder] = []
        var indices: [[ExactText]: Int] = [:]
        for case (let row, let path?) in zip(self.rows, paths) where !doubtful.contains(row.key) {
            let key = path.map(ExactText.init)
            if let index = indices[key] {
                folders[index].entries.append(row.entry)
                folders[index].type = folders[index].type ?? row.type
            } else {
                indices[key] = folders.count
                folders.append(Document.Folder(path: path, type: row.type, entries: [row.entry]))
            }
        }
        return (folders, notes)
    }

    // MARK: - One row

    /// Why the folder of a row is ambiguous; nil if it is not.
    private static func doubt(_ row: Row) -> String? {
        guard !row.path.contains("\u{FFFD}") else { return "letters of its name were lost" }
        guard let name = row.name else {
            if row.path.hasPrefix("/") || !row.bare.contains("\\") {
                return row.path.hasSuffix("...") || row.path.hasSuffix("…")
                    ? "FolderName is missing, and the path may be cut" : nil
            }
            return "FolderName is missing, and a name in the path may contain a \\: export "
                + "FolderName also, or use gatepost's script"
        }
        // The root has a FolderName that its path lacks.
        guard !row.bare.isEmpty, row.path != "/", !self.ends(row, with: name) else { return nil }
        return "FolderName is \(name), which is not the end of it: one of the two is wrong or cut; "
            + "use gatepost's script"
    }

    /// Whether the path of a row ends with a name.
    private static func ends(_ row: Row, with name: String) -> Bool {
        if row.path.hasPrefix("/") {
            let last = row.path.split(separator: "/").last.map(String.init) ?? ""
            return self.isSame(last, other: name)
        }
        return self.isSame(row.bare, other: name) || self.parent(row.bare, name: name) != nil
    }

    /// The part of a path before `\NAME` at its end; nil if the path does not end so.
    private static func parent(_ path: String, name: String) -> String? {
        let (octets, end) = (self.folded(path), self.folded("\\" + name))
        guard octets.count > end.count, octets.suffix(end.count).elementsEqual(end) else {
            return nil
        }
        let kept = path.unicodeScalars.dropLast(end.count)
        return String(String.UnicodeScalarView(kept))
    }

    /// Whether two names have the same Unicode scalars; U+F8FF stands for `/` in a name.
    static func isSame(_ one: String, other: String) -> Bool {
        self.folded(one).elementsEqual(self.folded(other))
    }

    private static func folded(_ text: String) -> [Unicode.Scalar] {
        text.unicodeScalars.map { $0 == "\u{F8FF}" ? "/" : $0 }
    }

    // MARK: - Parents

    /// The possible components of each path, as parent of other paths. `A\B` may be one folder or
    /// `B` below `A`.
    private static func parents(_ rows: [Row]) -> [ExactText: Set<[ExactText]>] {
        var parents: [ExactText: Set<[ExactText]>] = [:]
        let sorted = rows.map { (row: $0, bare: $0.bare) }
            .filter { !$0.row.path.hasPrefix("/") }
            .sorted { $0.bare.utf8.count < $1.bare.utf8.count }
        for (row, bare) in sorted {
            guard let path = self.components(row, parents: parents) else { continue }
            parents[ExactText(bare), default: []].insert(path.map(ExactText.init))
        }
        return parents
    }

    /// The components of a row's path; nil if they are ambiguous.
    private static func components(
        _ row: Row,
        parents: [ExactText: Set<[ExactText]>]
    ) -> [String]? {
        let bare = row.bare
        guard !row.path.hasPrefix("/") else {
            return row.path.split(separator: "/").map(String.init)
        }
        guard !bare.isEmpty else { return [] }
        guard let name = row.name, !self.isSame(bare, other: name) else { return [bare] }
        guard let parent = self.parent(bare, name: name) else { return nil }
        let end = bare.unicodeScalars.suffix(name.unicodeScalars.count)
        let own = String(String.UnicodeScalarView(end))
        // A component cannot be empty.
        guard !parent.isEmpty else { return nil }
        guard parent.contains("\\") else { return [parent, own] }
        guard let known = parents[ExactText(parent)], known.count == 1, let path = known.first
        else { return nil }
        return path.map(\.text) + [own]
    }
}
