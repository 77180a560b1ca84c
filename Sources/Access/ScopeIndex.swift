/// An index of many scopes by folder. A lookup takes one step for each level of the folder,
/// regardless of the number of scopes.
struct ScopeIndex: Sendable {
    /// The number of scopes up to which a scan is as fast as the index.
    static let worthwhileScopes = 8

    /// The rights in every folder.
    private var account: Rights = []
    /// The rights in single folders.
    private var folders: [FolderPath: Rights] = [:]
    /// The rights in a folder and all below it.
    private var subtrees: [FolderPath: Rights] = [:]
    /// Every folder above a scope that contains `l`.
    private var aboveListed: Set<FolderPath> = []

    init(_ scoped: [(scope: Scope, rights: Rights)]) {
        for (scope, rights) in scoped {
            switch scope {
            case .account: self.account.formUnion(rights)
            case .folder(let folder): self.folders[folder, default: []].formUnion(rights)
            case .subtree(let folder): self.subtrees[folder, default: []].formUnion(rights)
            }
            guard rights.contains(.lookup), let folder = scope.root else { continue }
            var above = folder.parent
            while let parent = above, self.aboveListed.insert(parent).inserted {
                above = parent.parent
            }
        }
    }

    /// The union of the rights that hold in one folder.
    func rights(in folder: FolderPath) -> Rights {
        var rights = self.account
        if let own = self.folders[folder] { rights.formUnion(own) }
        guard !self.subtrees.isEmpty else { return rights }
        var root: FolderPath? = folder
        while let here = root {
            if let inherited = self.subtrees[here] { rights.formUnion(inherited) }
            root = here.parent
        }
        return rights
    }

    /// Whether a folder, or any existing or future folder below it, appears in a listing.
    func isVisible(from folder: FolderPath) -> Bool {
        self.rights(in: folder).contains(.lookup) || self.aboveListed.contains(folder)
    }
}

extension Scope {
    /// The scope's folder; nil for the account.
    fileprivate var root: FolderPath? {
        switch self {
        case .account: nil
        case .folder(let folder), .subtree(let folder): folder
        }
    }
}
