/// The JSON form of a scope: `"account"`, or an object with `folder` and `subtree`.
extension ModelDocument.Scope {
    /// The text that stands for the whole account.
    private static let accountWord = "account"

    /// The keys of the object form.
    private enum Key: String, CodingKey {
        /// The folder's path, required in the object form.
        case folder
        /// Whether folders below are included; a missing key is false.
        case subtree
    }

    /// - Throws: `DecodingError` for a text other than `account`, and for an object without a
    ///   folder.
    package init(from decoder: any Decoder) throws {
        let single = try decoder.singleValueContainer()
        if let word = try? single.decode(String.self) {
            guard word == Self.accountWord else {
                throw DecodingError.dataCorruptedError(
                    in: single,
                    debugDescription: "a scope is \"account\", null, or an object with a folder"
                )
            }
            self = .account
            return
        }
        let container = try decoder.container(keyedBy: Key.self)
        self = .folder(
            try container.decode(String.self, forKey: .folder),
            isSubtree: try container.decodeIfPresent(Bool.self, forKey: .subtree) ?? false
        )
    }

    /// Writes the text form for the account, the object form for a folder.
    package func encode(to encoder: any Encoder) throws {
        switch self {
        case .account:
            var container = encoder.singleValueContainer()
            try container.encode(Self.accountWord)
        case .folder(let folder, let isSubtree):
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(folder, forKey: .folder)
            try container.encode(isSubtree, forKey: .subtree)
        }
    }
}

/// The decoding of a scope inside a grant.
extension KeyedDecodingContainer {
    /// Decodes a scope; the synthesized decoder of a grant calls this overload. `null` is the
    /// account.
    /// - Throws: `DecodingError` if the key is missing: a forgotten key must not share the
    ///   whole account.
    package func decode(
        _ type: ModelDocument.Scope.Type,
        forKey key: Key
    ) throws -> ModelDocument.Scope {
        guard self.contains(key) else {
            throw DecodingError.keyNotFound(
                key,
                DecodingError.Context(
                    codingPath: self.codingPath,
                    debugDescription: "a grant names its scope: \"account\", null, or a folder"
                )
            )
        }
        return try self.decodeIfPresent(type, forKey: key) ?? .account
    }
}
