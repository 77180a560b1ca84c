/// The JSON form of a scope: `"account"`, or an object with `folder` and `subtree`.
extension ModelDocument.Scope {
    /// The text that stands for the whole account.
    static let accountWord = "account"

    /// The keys of the object form.
    private enum CodingKeys: String, CodingKey {
        /// The folder's path, required in the object form.
        case folder
        /// Whether folders below are included; a missing key is false.
        case subtree
    }

    /// Writes the text form for the account, the object form for a folder.
    package func encode(to encoder: any Encoder) throws {
        switch self {
        case .account:
            var container = encoder.singleValueContainer()
            try container.encode(Self.accountWord)
        case .folder(let folder, let isSubtree):
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(folder, forKey: .folder)
            try container.encode(isSubtree, forKey: .subtree)
        }
    }
}
