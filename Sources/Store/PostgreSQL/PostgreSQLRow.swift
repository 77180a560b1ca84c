import CPostgreSQL
import Foundation

/// The result of a query, which frees libpq's memory at its end. Used on one thread.
final class PostgreSQLResult {
    /// libpq's result.
    let result: OpaquePointer
    /// The positions of columns by the names that were asked for; nil for a name without one.
    private var positions: [String: Int32?] = [:]

    /// Takes a result over.
    init(_ result: OpaquePointer) {
        self.result = result
    }

    deinit { PQclear(self.result) }

    /// The number of rows.
    var count: Int32 { PQntuples(self.result) }

    /// The rows.
    var rows: [PostgreSQLRow] {
        (0..<self.count).map { PostgreSQLRow(result: self, number: $0) }
    }

    /// The statement that the server carried out, in its words, such as `COMMIT`.
    var command: String { String(cString: PQcmdStatus(self.result)) }

    /// The number of rows that the statement changed.
    var changedRows: Int { Int(String(cString: PQcmdTuples(self.result))) ?? 0 }

    /// The position of a column; nil if there is none. Names are compared as in SQL: an unquoted
    /// name has lower-case letters at the server.
    func position(of column: String) -> Int32? {
        if let known = self.positions[column] { return known }
        let number = PQfnumber(self.result, column)
        let position: Int32? = number >= 0 ? number : nil
        self.positions[column] = .some(position)
        return position
    }
}

/// A row of a result.
struct PostgreSQLRow {
    /// The types of columns that the schema uses (`pg_type.dat`).
    private enum TypeNumber {
        static let octets: Oid = 17
        static let integer: Oid = 20
    }

    /// The result.
    let result: PostgreSQLResult
    /// The number of the row, from 0.
    let number: Int32

    /// The position of a column; nil if there is none.
    func index(of column: String) -> Int32? { self.result.position(of: column) }

    /// The value of a column; nil for NULL, and for a column that is missing or has another type.
    func value<Value: PostgreSQLValue>(_ column: String) -> Value? {
        self.index(of: column).flatMap(self.value(at:))
    }

    /// The value of a column that has one in each row.
    func required<Value: PostgreSQLValue>(_ column: String) -> Value {
        guard let value: Value = self.value(column) else {
            preconditionFailure("the column \(column) has no \(Value.self)")
        }
        return value
    }

    /// The value at a position that has one in each row.
    func required<Value: PostgreSQLValue>(at index: Int32) -> Value {
        guard let value: Value = self.value(at: index) else {
            preconditionFailure("the column at \(index) has no \(Value.self)")
        }
        return value
    }

    /// The value at a position; nil for NULL and for another type.
    func value<Value: PostgreSQLValue>(at index: Int32) -> Value? {
        guard PQgetisnull(self.result.result, self.number, index) == 0,
            let text = PQgetvalue(self.result.result, self.number, index)
        else { return nil }
        let count = Int(PQgetlength(self.result.result, self.number, index))
        return text.withMemoryRebound(to: UInt8.self, capacity: count) {
            Value(postgreSQLText: UnsafeBufferPointer(start: $0, count: count))
        }
    }

    /// All values, each with the type of its column.
    var cells: [StoreCell] {
        (0..<PQnfields(self.result.result)).map { index in
            switch PQftype(self.result.result, index) {
            case TypeNumber.octets: (self.value(at: index) as Data?).map(StoreCell.octets) ?? .null
            case TypeNumber.integer:
                (self.value(at: index) as Int64?).map(StoreCell.integer) ?? .null
            default: (self.value(at: index) as String?).map(StoreCell.text) ?? .null
            }
        }
    }
}
