import IMAP

/// The folder list of an account, for users who are not its owner.
extension Upstream {
    /// Notifications that may wait until the folder list is read again. A server could otherwise fill memory
    /// with notifications about folders that the list lacks.
    static let maximumWaitingNotifications = 64
    /// Unlisted folders that are remembered. Each one that the server mentions causes one LIST; beyond this number,
    /// no further folder causes a LIST. A server could otherwise make the gateway list its folders forever.
    static let maximumUnlisted = 1_000

    /// Counts the octets of a folder list that is arriving.
    ///
    /// - Throws: a size error if the list exceeds ``ListLimits/octetsOfServer``.
    func count(octets: Int) throws(SyntaxError) {
        self.folderListing?.octets += octets
        guard self.folderListing?.octets ?? 0 <= ListLimits.octetsOfServer else {
            throw SyntaxError(.lineTooLong, at: octets)
        }
    }

    /// A folder was created, deleted or renamed: the cached list is outdated and is discarded.
    func foldersChanged() {
        self.folders = nil
        self.unlisted = OctetStringSet()
        self.refreshes = FolderList.Refreshes()
    }
}
