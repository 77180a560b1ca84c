/// A value that is encoded as `null` if it is nil, so that every document has the same keys.
/// When decoded, a missing key is nil, too.
@propertyWrapper
package struct Nullable<Value: Codable & Equatable & Sendable>: Codable, Equatable, Sendable {
    /// The value itself.
    package var wrappedValue: Value?

    /// Called by the compiler for a property's default value.
    package init(wrappedValue: Value?) {
        self.wrappedValue = wrappedValue
    }

    /// Decodes a value or `null`.
    package init(from decoder: any Decoder) throws {
        self.wrappedValue = try decoder.singleValueContainer().decode(Value?.self)
    }

    /// Encodes the value or `null`.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.wrappedValue)
    }
}

/// The decoding of a property whose key is missing.
extension KeyedDecodingContainer {
    /// Called by synthesized decoders for a ``Nullable`` property.
    package func decode<Value>(
        _ type: Nullable<Value>.Type,
        forKey key: Key
    ) throws -> Nullable<Value> {
        Nullable(wrappedValue: try self.decodeIfPresent(Value.self, forKey: key))
    }
}

/// A nil value has a hash, too, so a ``StageReport/Line`` can be a member of a set.
extension Nullable: Hashable where Value: Hashable {}
