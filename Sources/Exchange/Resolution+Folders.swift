import Access

/// The lists of folders.
extension Resolution {
    /// Adds the entries of all folders. Entries of one folder are combined, even if the mailbox has
    /// several names in the document.
    mutating func addFolders(_ folders: [Document.Folder]) {
        let names = FolderNames(folders)
        self.notes.formUnion(names.notes)
        var entries: [FolderPath: [Document.FolderEntry]] = [:]
        for folder in folders {
            switch names.find(folder) {
            case .path(let path): entries[path, default: []] += folder.entries
            case .ignored: continue
            case .leftOut(let note): self.notes.insert(note)
            }
        }
        for (path, entries) in entries { self.addEntries(entries, path: path) }
    }

    /// Adds the entries of one folder.
    private mutating func addEntries(_ entries: [Document.FolderEntry], path: FolderPath) {
        var own: [ImportedPermissions.Entry] = []
        var fallback: [ImportedPermissions.Entry] = []
        var unknown: [Rights] = []
        for entry in entries {
            let words = entry.rights.joined(separator: ", ")
            guard let rights = FolderRights.rights(named: entry.rights) else {
                self.unresolved(
                    entry.principal,
                    right: words,
                    why: "\(words) is not a known right"
                )
                unknown.append([])
                continue
            }
            func make(_ login: String?, group: String?) -> ImportedPermissions.Entry {
                ImportedPermissions.Entry(
                    login: login,
                    via: group,
                    rights: rights.letters,
                    folder: path.description
                )
            }
            switch self.outcome(of: entry.principal, purpose: .folder, isDenied: rights.isEmpty) {
            case .nobody:
                continue
            case .stranger:
                // This recipient may be a user of the gateway under a login that is not linked.
                unknown.append(rights)
            case .everyone:
                if !rights.isEmpty { fallback.append(make(nil, group: nil)) }
            case .unresolved(let why):
                self.unresolved(entry.principal, right: "\(words) on \(path)", why: why)
                unknown.append(rights)
            case .people(let logins, let group):
                for login in logins {
                    if group == nil {
                        own.append(make(login, group: nil))
                    } else {
                        fallback.append(make(login, group: group))
                    }
                }
            }
        }
        // An unresolved user with fewer rights would gain rights by the entries of groups and
        // everyone.
        let widest = fallback.reduce(into: Rights()) {
            $0.formUnion(Rights(letters: $1.rights) ?? [])
        }
        if unknown.contains(where: { !$0.isSuperset(of: widest) }) {
            if !fallback.isEmpty {
                self.notes.insert(
                    "\(path): rights of groups and everyone are left out, because an entry with "
                        + "fewer rights names an unresolved principal"
                )
            }
            fallback = []
        }
        self.imported.entries += own + fallback
    }
}
