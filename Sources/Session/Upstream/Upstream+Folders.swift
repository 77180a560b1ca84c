import IMAP

/// The list of an account's folders, for users who are not the owner.
extension Upstream {
    /// News that may wait for a list.
    static let maximumWaitingNews = 64
    /// Folders of which the server tells and that it does not list: each costs a list once, and behind so
    /// many no further one does.
    static let maximumUnlisted = 1_000

    /// Counts what a list that is arriving takes.
    func count(octets: Int) throws(SyntaxError) {
        self.folderListing?.octets += octets
        guard self.folderListing?.octets ?? 0 <= ListLimits.octetsOfServer else {
            throw SyntaxError(.lineTooLong, at: octets)
        }
    }

    /// A folder was created, deleted or renamed: the list is not the server's any more.
    func foldersChanged() {
        self.folders = nil
        self.unlisted = OctetStringSet()
        self.refreshes = FolderList.Refreshes()
    }
}
