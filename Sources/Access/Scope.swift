/// The folders that a grant's rights hold in.
package enum Scope: Hashable, Sendable {
    /// Every folder of the account.
    case account
    /// One folder, without those below it.
    case folder(FolderPath)
    /// One folder and every folder below it.
    case subtree(FolderPath)

    /// Whether the scope contains a folder.
    package func covers(_ folder: FolderPath) -> Bool {
        switch self {
        case .account: true
        case .folder(let own): folder == own
        case .subtree(let root): folder == root || folder.isBelow(root)
        }
    }

    /// Whether the scope contains a folder and every existing and future folder below it.
    func coversAll(from folder: FolderPath) -> Bool {
        if case .folder = self { return false }
        return self.covers(folder)
    }

    /// Whether the scope contains a folder or any existing or future folder below it.
    func coversAny(from folder: FolderPath) -> Bool {
        switch self {
        case .account: true
        case .folder(let own), .subtree(let own): self.covers(folder) || own.isBelow(folder)
        }
    }
}
