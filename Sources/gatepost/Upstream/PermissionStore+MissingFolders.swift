import Access
import Gateway
import Store

extension PermissionStore {
    /// Folders that grants on an account name and that its server does not list, sorted.
    ///
    /// A grant on such a folder has no effect. The report has the folder list of the account's server.
    func foldersOfGrants(on account: String, missingIn report: ProbeReport) throws -> [FolderPath] {
        let listed = Set(report.folders)
        let named = try self.grants(account: account, subject: nil).compactMap { grant in
            grant.folder.flatMap { FolderPath(octets: Array($0.utf8)) }
        }
        return Set(named).subtracting(listed).sorted()
    }
}
