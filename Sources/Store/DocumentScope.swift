extension ModelDocument.Scope {
    private static let accountWord = "account"

    private enum Key: String, CodingKey {
        case folder
        case subtree
    }

    /// - Throws: for a text that is not `account`, and an object without a folder.
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

extension KeyedDecodingContainer {
    /// What the synthesized decoder of a grant calls: `null` is the account.
    /// - Throws: where there is no scope: a forgotten key must not share the whole account.
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
