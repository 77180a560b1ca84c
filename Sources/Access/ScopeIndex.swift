/// The rights that many scopes give, by folder: a question costs the levels of the folder, however many
/// scopes there are.
struct ScopeIndex: Sendable {
    /// With fewer scopes it is as quick to look at each.
    static let worthwhileScopes = 8

    private var account: Rights = []
    private var folders: [FolderPath: Rights] = [:]
    private var subtrees: [FolderPath: Rights] = [:]
    /// Every folder above a scope that is listed.
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

    /// Whether a folder, or anything that is or will be below it, is listed.
    func isVisible(from folder: FolderPath) -> Bool {
        self.rights(in: folder).contains(.lookup) || self.aboveListed.contains(folder)
    }
}

extension Scope {
    /// The folder that it begins at; nil for the account.
    fileprivate var root: FolderPath? {
        switch self {
        case .account: nil
        case .folder(let folder), .subtree(let folder): folder
        }
    }
}
