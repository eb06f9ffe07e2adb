// Names of C++: namespaces, templates, operators, constructors.
namespace net {
template <class T, int N> struct Buffer {
	T data[N];
	Buffer();
	T sum() const;
	T operator[](int i) const { return data[i]; }
};

template <class T, int N> Buffer<T, N>::Buffer()
{
	for (int i = 0; i < N; i++)
		data[i] = T(i);
}

template <class T, int N> T Buffer<T, N>::sum() const
{
	T total = T();
	for (int i = 0; i < N; i++)
		total += (*this)[i];
	return total;
}

template struct Buffer<long, 8>;
} // namespace net


long total(int n)
{
	net::Buffer<long, 8> b;
	return b.sum() + b[n & 7];
}
