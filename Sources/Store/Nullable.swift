/// A value of a document that is written as `null` where there is none, so that every document has
/// the same keys; read, a missing key says the same.
@propertyWrapper
package struct Nullable<Value: Codable & Equatable & Sendable>: Codable, Equatable, Sendable {
    package var wrappedValue: Value?

    package init(wrappedValue: Value?) {
        self.wrappedValue = wrappedValue
    }

    package init(from decoder: any Decoder) throws {
        self.wrappedValue = try decoder.singleValueContainer().decode(Value?.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.wrappedValue)
    }
}

extension KeyedDecodingContainer {
    /// What a synthesized decoder calls for a ``Nullable`` property.
    package func decode<Value>(
        _ type: Nullable<Value>.Type,
        forKey key: Key
    ) throws -> Nullable<Value> {
        Nullable(wrappedValue: try self.decodeIfPresent(Value.self, forKey: key))
    }
}

extension Nullable: Hashable where Value: Hashable {}
