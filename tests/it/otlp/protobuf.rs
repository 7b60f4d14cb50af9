//! Reads protobuf: just the parts of a message, without their types.

/// A field of a message: its number, and its bytes if it has a length.
pub struct Field<'a> {
    pub number: u64,
    pub bytes: &'a [u8],
}

/// Returns the fields of a message in their order. Numbers of a fixed or variable length have no bytes.
pub fn fields(mut message: &[u8]) -> Vec<Field<'_>> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let key = varint(&mut message);
        let bytes = match key & 7 {
            0 => {
                varint(&mut message);
                &[]
            }
            1 => skip(&mut message, 8),
            2 => {
                let length = varint(&mut message);
                take(&mut message, usize::try_from(length).unwrap())
            }
            5 => skip(&mut message, 4),
            other => panic!("wire type {other}"),
        };
        fields.push(Field {
            number: key >> 3,
            bytes,
        });
    }
    fields
}

/// The bytes of all fields with this number.
pub fn all(message: &[u8], number: u64) -> impl Iterator<Item = &[u8]> {
    fields(message)
        .into_iter()
        .filter(move |field| field.number == number)
        .map(|field| field.bytes)
}

fn skip<'a>(message: &mut &'a [u8], length: usize) -> &'a [u8] {
    take(message, length);
    &[]
}

fn take<'a>(message: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (bytes, rest) = message.split_at(length);
    *message = rest;
    bytes
}

fn varint(message: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(message, 1)[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}
