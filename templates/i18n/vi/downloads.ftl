# Tải về tất cả: danh sách tệp và đường dẫn tới chúng; thư mục tệp.
manifest-embargoed = Các tệp của bản ghi này chưa được cung cấp: tệp chưa công bố đến { $date }.
manifest-restricted = Các tệp của bản ghi này không được cung cấp: chỉ mở cho người được cấp quyền truy cập.
