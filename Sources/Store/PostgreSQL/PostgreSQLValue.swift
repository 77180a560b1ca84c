import Foundation

/// The form of values in PostgreSQL's text format.
protocol PostgreSQLValue {
    /// The value as a parameter. The server takes the type from the statement.
    var postgreSQLText: String { get }
    /// Reads a value.
    /// - Returns: Nil for a text of another type.
    init?(postgreSQLText octets: UnsafeBufferPointer<UInt8>)
}

extension PostgreSQLValue where Self: FixedWidthInteger {
    /// The decimal digits.
    var postgreSQLText: String { "\(self)" }

    /// Reads decimal digits.
    init?(postgreSQLText octets: UnsafeBufferPointer<UInt8>) {
        var value: Self = 0
        var digits = octets[...]
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative { digits = digits.dropFirst() }
        guard !digits.isEmpty else { return nil }
        for octet in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octet) else { return nil }
            let digit = Self(octet - UInt8(ascii: "0"))
            let (product, isTooLong) = value.multipliedReportingOverflow(by: 10)
            let (sum, isTooLarge) =
                isNegative
                ? product.subtractingReportingOverflow(digit)
                : product.addingReportingOverflow(digit)
            guard !isTooLong, !isTooLarge else { return nil }
            value = sum
        }
        self = value
    }
}

extension Int64: PostgreSQLValue {}
extension Int: PostgreSQLValue {}
extension UInt32: PostgreSQLValue {}

extension Bool: PostgreSQLValue {
    /// Columns store 0 and 1.
    var postgreSQLText: String { self ? "1" : "0" }

    /// Reads a number, or the result of a condition: `t` or `f`.
    init?(postgreSQLText octets: UnsafeBufferPointer<UInt8>) {
        guard octets.count == 1 else { return nil }
        switch octets[0] {
        case UInt8(ascii: "1"), UInt8(ascii: "t"): self = true
        case UInt8(ascii: "0"), UInt8(ascii: "f"): self = false
        default: return nil
        }
    }
}

extension String: PostgreSQLValue {
    /// The text itself.
    var postgreSQLText: String { self }

    /// Reads UTF-8.
    init?(postgreSQLText octets: UnsafeBufferPointer<UInt8>) {
        self.init(decoding: octets, as: UTF8.self)
    }
}

extension Data: PostgreSQLValue {
    private static let digits = Array("0123456789abcdef".utf8)

    /// The hexadecimal form of `bytea`.
    var postgreSQLText: String {
        var text = Array("\\x".utf8)
        text.reserveCapacity(2 + 2 * self.count)
        for octet in self {
            text.append(Self.digits[Int(octet >> 4)])
            text.append(Self.digits[Int(octet & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads the hexadecimal form of `bytea`.
    init?(postgreSQLText octets: UnsafeBufferPointer<UInt8>) {
        guard octets.count.isMultiple(of: 2), octets.starts(with: "\\x".utf8) else { return nil }
        var data = Data(capacity: octets.count / 2 - 1)
        for index in stride(from: 2, to: octets.count, by: 2) {
            guard let high = Self.digit(octets[index]), let low = Self.digit(octets[index + 1])
            else { return nil }
            data.append(high << 4 | low)
        }
        self = data
    }

    /// The value of a hexadecimal digit.
    private static func digit(_ octet: UInt8) -> UInt8? {
        switch octet {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): octet - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): octet - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
